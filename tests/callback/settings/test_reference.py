"""The reference of the settings says every key, and is what the repository holds; the example is a file that works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from callback.settings.reference import example, reference, sections
from callback.settings.sections import load

REPOSITORY = Path(__file__).parents[3]
KEYS = [(section.name, key) for section in sections() for key in section.keys]


@pytest.mark.parametrize(("section", "key"), KEYS, ids=[f"{section}.{key.name}" for section, key in KEYS])
def test_every_key_says_what_it_is(section: str, key: object) -> None:
    assert getattr(key, "means", ""), f"[{section}]: write a comment beside it"


def test_all_sections_are_told() -> None:
    names = {section.name for section in sections()}
    assert {"database", "pbx", "trunks.main", "texts.twilio.main", "texts.http", "rules.queues.support"} <= names
    assert "`port` | `5038` | a whole number, at least 1, at most 65535" in reference()
    assert "`username` | **to be written**" in reference()
    assert "`from` |" in reference()


@pytest.mark.parametrize(
    ("file", "made"), [("docs/settings.md", reference()), ("deploy/callback.example.toml", example())]
)
def test_what_the_repository_holds_is_up_to_date(file: str, made: str) -> None:
    assert (REPOSITORY / file).read_text(encoding="utf-8") == made, "run `make settings`"


def test_the_example_works_as_it_is_and_with_every_default_written(tmp_path: Path) -> None:
    path = tmp_path / "callback.toml"
    path.write_text(example(), encoding="utf-8")
    as_it_is = load(path, {})
    path.write_text(re.sub(r"^# (\w+ = )", r"\1", example(), flags=re.MULTILINE), encoding="utf-8")
    assert load(path, {}) == as_it_is
    assert (as_it_is.rules.queue("support").texts, as_it_is.rules.queue("support").calls) == ("watch", "watch")


def test_what_the_install_guide_says_to_write_fits_into_the_example(tmp_path: Path) -> None:
    guide = (REPOSITORY / "docs" / "install-service.md").read_text(encoding="utf-8")
    path, settings, section = tmp_path / "callback.toml", example(), ""
    for line in "".join(re.findall(r"```toml\n(.*?)```", guide, flags=re.DOTALL)).splitlines():
        if line.startswith("["):
            section = line
        elif "=" in line and not line.startswith("#"):
            before, heading, within = settings.partition(f"{section}\n")
            key = line.split("=")[0].strip()
            settings = before + heading + re.sub(rf"^# {key} = .*$", line, within, count=1, flags=re.MULTILINE)
    path.write_text(settings, encoding="utf-8")
    loaded = load(path, {})
    assert loaded.database.url == "sqlite:////var/lib/lcr/lost-calls.db"
    assert (str(loaded.pbx.journal), loaded.pbx.queue_log) == ("/var/lib/lcr/journal", "/var/log/asterisk/queue_log")
    assert (loaded.console.listen, loaded.console.url) == ("127.0.0.1:8090", "https://console.example.org")
    assert loaded.console.trusted_proxies == ("127.0.0.1",)


def test_the_service_file_runs_what_the_guide_installs() -> None:
    unit = (REPOSITORY / "deploy" / "lcr.service").read_text(encoding="utf-8")
    guide = (REPOSITORY / "docs" / "install-service.md").read_text(encoding="utf-8")
    for path in ("/opt/lcr", "/etc/lcr/callback.toml", "/etc/lcr/secrets.env"):
        assert path in unit
        assert path in guide
    assert "ExecStart=/opt/lcr/bin/callback run" in unit
