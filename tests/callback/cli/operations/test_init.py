"""`callback init`, as somebody types it: the files, their rights, what is never overwritten, and what is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from callback.operations.init import conf
from callback.settings.sections import load
from tests.callback.cli.conftest import Typed
from tests.callback.operations.init.test_found import PJSIP, QUEUES, site

DIALPLAN = Path(__file__).parents[4] / "telephony" / "dialplan"


@pytest.fixture
def asterisk(tmp_path: Path) -> Path:
    etc = tmp_path / "etc"
    etc.mkdir()
    return site(etc, manager="[general]\nenabled = yes\nport = 5040\n", queues=QUEUES, pjsip=PJSIP)


def asked(typed: Typed, folder: Path, etc: Path, *more: str) -> tuple[int, str, str]:
    told = ("--folder", str(folder), "--asterisk", str(etc), "--zone", "Europe/Berlin", "--yes", *more)
    return typed("init", *told)


def test_what_it_writes_watches_this_pbx_and_holds_one_secret_for_its_owner_alone(
    typed: Typed, tmp_path: Path, asterisk: Path
) -> None:
    folder = tmp_path / "lcr"
    status, out, err = asked(typed, folder, asterisk)
    assert (status, err) == (0, "")
    settings = load(folder / "callback.toml", {})
    assert (settings.pbx.host, settings.pbx.port, settings.pbx.username) == ("127.0.0.1", 5040, "lcr")
    assert settings.pbx.queue_log == "/var/log/asterisk/queue_log"
    assert {name: (trunk.channel, trunk.region) for name, trunk in settings.trunks.items()} == {
        "acme": ("PJSIP/acme", "DE"),
        "byoc": ("PJSIP/byoc", "DE"),
        "registered": ("PJSIP/registered", "DE"),
    }
    assert set(settings.rules.queues) == {"support", "Sales 2"}
    assert {(one.texts, one.calls) for one in settings.rules.queues.values()} == {("watch", "watch")}
    manager = conf.read(folder / "asterisk" / "manager_lcr.conf").first("lcr")
    assert manager.get("secret") == settings.pbx.secret
    assert len(settings.pbx.secret) >= 32
    assert settings.pbx.secret not in out
    modes = {path.name: path.stat().st_mode & 0o777 for path in [*folder.iterdir(), *(folder / "asterisk").iterdir()]}
    assert modes.pop("callback.toml") == 0o600
    assert modes.pop("asterisk") == 0o700
    assert set(modes.values()) == {0o640}
    assert set(modes) == {path.name for path in DIALPLAN.glob("*.conf")}


def test_it_says_what_to_include_how_to_reload_and_what_it_could_not_know(
    typed: Typed, tmp_path: Path, asterisk: Path
) -> None:
    _, out, _ = asked(typed, tmp_path / "lcr", asterisk)
    for ours, theirs in (("extensions_lcr", "extensions"), ("manager_lcr", "manager"), ("features_lcr", "features")):
        assert f"printf '\\n#include {ours}.conf\\n' >> {asterisk}/{theirs}.conf" in out
    assert f"sed -i '1i #include queues_lcr.conf' {asterisk}/queues.conf" in out
    assert "asterisk -rx 'manager reload'" in out
    assert f"callback doctor --settings {tmp_path}/lcr/callback.toml" in out
    known, _, unknown = out.partition("What could not be known:")
    assert "queues: support, Sales 2" in known
    assert "[trunks.acme] signals" in unknown
    assert "loguniqueid = yes" in unknown


def test_freepbx_has_files_of_its_own_and_includes_that_stand_are_not_said_again(typed: Typed, tmp_path: Path) -> None:
    etc = tmp_path / "etc"
    etc.mkdir()
    site(etc, extensions_additional="", extensions="#include extensions_lcr.conf\n")
    _, out, _ = asked(typed, tmp_path / "lcr", etc)
    assert f"'\\n#include manager_lcr.conf\\n' >> {etc}/manager_custom.conf" in out
    assert "fwconsole reload" in out
    assert "#include extensions_lcr.conf" not in out


def test_nothing_is_overwritten_and_what_differs_is_said_without_the_secret(
    typed: Typed, tmp_path: Path, asterisk: Path
) -> None:
    folder = tmp_path / "lcr"
    asked(typed, folder, asterisk)
    status, out, _ = asked(typed, folder, asterisk)
    assert (status, out.count("as it is  ")) == (0, 5), "the secret of before stays"
    settings, dialplan = folder / "callback.toml", folder / "asterisk" / "extensions_lcr.conf"
    mine = re.sub(r'^secret = ".*"', 'secret = "my own"', settings.read_text(), flags=re.MULTILINE)
    settings.write_text(mine.replace("Europe/Berlin", "Europe/Paris"))
    dialplan.write_text("; an older one\n")
    before = settings.read_text()
    status, out, _ = asked(typed, folder, asterisk)
    assert status == 1
    assert f"differs   {settings}: it stays as it is" in out
    assert '-zone = "Europe/Paris"' in out
    assert "my own" not in out
    assert settings.read_text() == before
    assert dialplan.read_text() == "; an older one\n"


def test_force_replaces_what_differs_and_keeps_a_copy(typed: Typed, tmp_path: Path, asterisk: Path) -> None:
    folder = tmp_path / "lcr"
    asked(typed, folder, asterisk)
    settings, dialplan = folder / "callback.toml", folder / "asterisk" / "extensions_lcr.conf"
    mine = settings.read_text() + "# mine\n"
    settings.write_text(mine)
    for round_ in (1, 2):
        dialplan.write_text(f"; older {round_}\n")
        status, _, _ = asked(typed, folder, asterisk, "--force", "--only-asterisk")
        assert status == 0
        assert dialplan.read_text() == (DIALPLAN / "extensions_lcr.conf").read_text()
        assert dialplan.with_name(f"extensions_lcr.conf.{round_}.old").read_text() == f"; older {round_}\n"
    assert settings.read_text() == mine
    status, out, _ = asked(typed, folder, asterisk, "--force")
    assert (status, settings.with_name("callback.toml.1.old").read_text()) == (0, mine)
    assert f"replaced  {settings}: the old one is" in out


@pytest.mark.parametrize("more", [(), ("--only-asterisk", "--force")])
def test_the_pbx_gets_the_secret_of_the_settings_though_its_file_was_moved_there(
    typed: Typed, tmp_path: Path, asterisk: Path, more: tuple[str, ...]
) -> None:
    """Or though whoever asked was ended between the two: another secret there, and the service hears nothing."""
    folder = tmp_path / "lcr"
    asked(typed, folder, asterisk)
    (folder / "asterisk" / "manager_lcr.conf").unlink()
    status, _, _ = asked(typed, folder, asterisk, *more)
    assert status == 0
    secret = conf.read(folder / "asterisk" / "manager_lcr.conf").first("lcr").get("secret")
    assert secret == load(folder / "callback.toml", {}).pbx.secret


def test_with_a_folder_for_data_the_key_lies_apart_from_it(typed: Typed, tmp_path: Path) -> None:
    status, _, _ = asked(typed, tmp_path, tmp_path / "none", "--data", "/var/lib/lcr", "--region", "at")
    settings = load(tmp_path / "callback.toml", {})
    assert status == 0
    assert settings.database.url == "sqlite:////var/lib/lcr/lost-calls.db"
    assert str(settings.database.key_file) == "/var/lib/lcr-key/site.key"
    assert str(settings.pbx.journal) == "/var/lib/lcr/journal"
    assert settings.trunks["main"].region == "AT"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--zone", "Mars/Olympus"), "'Mars/Olympus' is none; say it by --zone"),
        (("--region", "XX"), "'XX' is none; say it by --region"),
        (("--host", "no such host"), "name the PBX by an address"),
        (("--folder", "/proc/none"), "name another folder by --folder"),
    ],
)
def test_what_is_wrong_is_said_with_the_option_and_nothing_is_written(
    typed: Typed, tmp_path: Path, more: tuple[str, str], told: str
) -> None:
    status, _, err = asked(typed, tmp_path / "lcr", tmp_path / "none", *more)
    assert status == 2
    assert told in err
    assert not (tmp_path / "lcr").exists()


def test_a_pbx_elsewhere_lets_this_machine_in_and_is_better_reached_by_tls(typed: Typed, tmp_path: Path) -> None:
    _, out, _ = asked(typed, tmp_path / "lcr", tmp_path / "none", "--host", "198.51.100.7", "--trunk", "acme_1")
    permit = conf.read(tmp_path / "lcr/asterisk/manager_lcr.conf").first("lcr").get("permit")
    assert not permit.startswith("127.")
    assert permit.endswith("/255.255.255.255")
    assert "1. On the PBX 198.51.100.7 (copy the folder there first), as root:" in out
    assert "docs/tls.md" in out
    assert load(tmp_path / "lcr/callback.toml", {}).trunks["acme-1"].channel == "PJSIP/acme_1"
