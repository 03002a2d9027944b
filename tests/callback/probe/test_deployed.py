"""What is shipped for the probe names what is there: units, contexts, and the files of the guide."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from callback.probe import pbx, settings

REPOSITORY = Path(__file__).parents[3]
DEPLOY, DIALPLAN = REPOSITORY / "deploy", REPOSITORY / "telephony" / "dialplan" / "probe"
EXTENSIONS = (DIALPLAN / "extensions_lcr_probe.conf").read_text()


def test_the_contexts_that_the_probe_calls_are_shipped() -> None:
    contexts = set(re.findall(r"^\[([\w-]+)\]", EXTENSIONS, re.MULTILINE))
    for channel in (pbx.CALLER, pbx.MEMBER):
        exten, context = channel.removeprefix("Local/").removesuffix("/n").split("@")
        assert context in contexts
        assert re.search(rf"^exten => {exten},1,", EXTENSIONS, re.MULTILINE)
    assert set(re.findall(r"hangup_handler_push\)=([\w-]+),", EXTENSIONS)) <= contexts
    assert f"DB({pbx.FAMILY}/{pbx.KEY})" in EXTENSIONS
    assert "context = lcr-probe-in" in (DIALPLAN / "pjsip_lcr_probe.conf").read_text()


def test_the_manager_user_hears_nothing_and_may_little() -> None:
    user = (DIALPLAN / "manager_lcr_probe.conf").read_text().partition("[lcr-probe]\n")[2]
    keys = dict(re.findall(r"^(\w+) = ([^;\n]+?)\s*(?:;.*)?$", user, re.MULTILINE))
    assert "read" not in keys
    assert keys["write"] == "originate,reporting"


def test_the_guide_names_the_files_and_the_secrets() -> None:
    guide = (REPOSITORY / "docs" / "probe.md").read_text()
    for file in (*DIALPLAN.glob("*_lcr_probe.conf"), *DEPLOY.glob("lcr-probe.*"), DEPLOY / "probe.example.toml"):
        assert file.name in guide
    assert all(f"`{secret}`" in guide for secret in settings.SECRETS)


@pytest.mark.parametrize("unit", ["lcr-probe.service", "lcr-probe.timer"])
def test_systemd_takes_the_units(unit: str, tmp_path: Path) -> None:
    """Where there is a systemd to ask; the program that the unit names is a stand-in for the installed one."""
    text = (DEPLOY / unit).read_text().replace("/opt/lcr/bin/callback", "/bin/true")
    if unit.endswith(".service"):
        assert "ExecStart=/bin/true probe --once --settings /etc/lcr/probe.toml" in text
    if (verify := shutil.which("systemd-analyze")) is None:
        return
    for file in DEPLOY.glob("lcr-probe.*"):
        (tmp_path / file.name).write_text(file.read_text().replace("/opt/lcr/bin/callback", "/bin/true"))
    told = subprocess.run([verify, "verify", tmp_path / unit], capture_output=True, text=True, check=False)
    ours = [line for line in told.stderr.splitlines() if "lcr-probe" in line and "User" not in line]
    assert ours == []
