"""The probe's own file: every fault is said with its key, and the file in the docs is a sound one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from callback.errors import SettingsError
from callback.probe.settings import load

SHORT = '[pbx]\nsecret = "s"\n[call]\nnumbers = ["+12125550123"]\n'
EXAMPLE = Path(__file__).parents[3] / "deploy" / "probe.example.toml"


def written(folder: Path, text: str) -> Path:
    file = folder / "probe.toml"
    file.write_text(text)
    return file


def test_a_short_file_is_enough(tmp_path: Path) -> None:
    settings = load(written(tmp_path, SHORT))
    assert settings.pbx.username == "lcr-probe"
    assert settings.texts.watch == "nothing"
    assert settings.least_every_s() == 9 * 3600 / 5


def test_the_example_is_sound_and_names_every_key_with_its_default() -> None:
    settings = load(EXAMPLE)
    text = EXAMPLE.read_text()
    for name, part in settings:
        section = text.partition(f"\n[{name}]")[2].partition("\n[")[0]
        keys = {part.__class__.model_fields[key].alias or key for key in part.__class__.model_fields}
        assert keys == set(re.findall(r"^(?:# )?([a-z_]+) = ", section, re.MULTILINE)), name


def test_what_is_commented_out_in_the_example_may_be_taken_in(tmp_path: Path) -> None:
    text = re.sub(r"^# ([a-z_]+ = )", r"\1", EXAMPLE.read_text(), flags=re.MULTILINE).replace("…", "x")
    settings = load(written(tmp_path, text))
    bare = load(EXAMPLE)
    assert settings.expect == bare.expect
    assert settings.call == bare.call
    assert settings.hours == bare.hours
    assert settings.texts.watch == "nothing"


def test_secrets_may_stand_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LCR_PROBE_SECRET", "from outside")
    settings = load(written(tmp_path, SHORT.replace('secret = "s"\n', "")))
    assert settings.pbx.secret.get_secret_value() == "from outside"
    assert "from outside" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "[pbx]: must be written"),
        ("[pbx]\n" + SHORT.partition("\n")[2].replace('secret = "s"\n', ""), "LCR_PROBE_SECRET"),
        (SHORT + "x = 1\n", "[call] x: no such key"),
        (SHORT.replace("+12125550123", "2125550123"), "write it in E.164"),
        (SHORT + 'dial = "PJSIP/a,b"\n', "[call] dial"),
        (SHORT + "waits_s = 1\n", "[call] waits_s"),
        (SHORT + '[texts]\nwatch = "twilio"\n', "needs account_sid and auth_token"),
        (SHORT + '[texts]\nwatch = "file"\nfile = "x"\nholds = "("\n', "no regular expression"),
        (SHORT + '[texts]\nwatch = "url"\nholds = "a"\nurl = "file:///etc/passwd"\n', "must begin with https://"),
        (SHORT + '[api]\nurl = "http://127.0.0.1:8090/api/v1"\n', "needs a token"),
        (SHORT + '[hours]\nzone = "Nowhere/Land"\n', "there is no zone"),
        (SHORT + "[hours]\nfrom = 18:00:00\nuntil = 09:00:00\n", "from must be before until"),
        (SHORT + '[alarms]\nurl = "ftp://x"\n', "[alarms] url"),
        ("[pbx\n", "no TOML"),
    ],
)
def test_each_fault_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load(written(tmp_path, text))
    assert said in str(raised.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--settings"):
        load(tmp_path / "nothing.toml")
