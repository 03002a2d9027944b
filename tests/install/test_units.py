"""The units, judged by systemd's own tools: that they are units, and how much of the machine they leave open."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.install.pages import REPOSITORY
from tests.parts import missing

DEPLOY = REPOSITORY / "deploy"
UNITS = sorted([*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")])
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
MOST_EXPOSED = 2.0
"""Of 10, by `systemd-analyze security`. What is left: the network, local sockets, the host's file system read-only."""
SAME = {"Description", "Environment", "ExecStart"}


@pytest.fixture(scope="module")
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        missing("systemd-analyze (package systemd)")
    return found


def installed(unit: Path, folder: Path) -> Path:
    """The unit as it lies where it is installed, but for a program that is not: true."""
    text = re.sub(r"^(Exec\w+)=/opt/lcr/bin/callback.*$", r"\1=/bin/true", unit.read_text(), flags=re.MULTILINE)
    placed = folder / unit.name
    placed.write_text(text)
    return placed


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_nothing_to_say(analyze: str, unit: Path, tmp_path: Path) -> None:
    for other in UNITS:  # a timer names its service
        installed(other, tmp_path)
    name = unit.name.replace("@.", "@pbx.")
    placed = tmp_path / unit.name
    if name != unit.name:
        placed = placed.rename(tmp_path / name)
    done = subprocess.run([analyze, "verify", "--man=no", str(placed)], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "lcr" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_it_leaves_little_of_the_machine_open(analyze: str, unit: Path) -> None:
    command = [analyze, "security", "--offline=true", "--no-pager", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert told, done.stdout + done.stderr
    assert float(told[1]) <= MOST_EXPOSED


def settings_of(unit: Path) -> list[str]:
    lines = [line for line in unit.read_text().splitlines() if "=" in line and not line.startswith("#")]
    return [line for line in lines if line.split("=")[0] not in SAME]


def test_roles_and_pbxs_run_as_guarded_as_the_service_itself() -> None:
    alone = settings_of(DEPLOY / "lcr.service")
    assert settings_of(DEPLOY / "lcr@.service") == alone
    assert settings_of(DEPLOY / "lcr-pbx@.service") == alone


def test_each_runs_what_the_command_line_knows() -> None:
    page = (REPOSITORY / "docs" / "commands.md").read_text()
    for unit in ("lcr@.service", "lcr-pbx@.service"):
        assert re.search(
            r"^ExecStart=/opt/lcr/bin/callback run --role (%i|pbx)$", (DEPLOY / unit).read_text(), re.MULTILINE
        )
    assert "--role" in page
