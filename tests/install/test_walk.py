"""A newcomer's walks, by the docs alone, from a bare Debian: to `make run`, and to a service that watches a PBX.

By hand: `make walk`. No systemd runs in a chroot: what the unit would start is started by hand, as its user.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import child, fetch
from lab.errors import LabError
from tests.install.bare import Bare, debian
from tests.install.existing import PLACE, existing
from tests.install.pages import REPOSITORY, blocks
from tests.parts import missing

pytestmark = [pytest.mark.install, pytest.mark.timeout(900)]

BUNDLE = "/root/repository.bundle"
GUIDE = "docs/install-service.md"
KNOWN = ("no callback is offered now",)
"""What the doctor may warn of while the service does not run yet."""


def bare_debian(folder: Path, binds: dict[Path, str]) -> Iterator[Bare]:
    """Make one with the repository, as it is committed here, within its reach."""
    bundle = folder / "repository.bundle"
    subprocess.run(["git", "-C", REPOSITORY, "bundle", "create", "-q", bundle, "HEAD"], check=True)
    bundle.parent.joinpath("given").mkdir()
    bundle.rename(folder / "given" / "repository.bundle")
    try:
        (wheels := Path.home() / ".cache/pip").mkdir(parents=True, exist_ok=True)  # what was fetched once, is not again
        with debian(folder, {**binds, folder / "given": "/root/given", wheels: "/root/.cache/pip"}) as bare:
            bare.run(f"ln -s /root/given/repository.bundle {BUNDLE}")
            yield bare
    except LabError as error:
        missing(str(error))


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Bare]:
    (seats := fetch.cache() / "seats").mkdir(parents=True, exist_ok=True)  # ports are this machine's
    yield from bare_debian(tmp_path, {seats: "/root/.cache/lost-call-recovery/seats"})


def test_from_a_bare_debian_to_the_first_caller_called_back(bare: Bare) -> None:
    said = bare.run(blocks("README.md", BUNDLE)["newcomer"], within_s=700)
    told = json.loads(re.findall(r"^\{.*\}$", said, re.MULTILINE)[-1])
    assert told["recovered"] >= 1, said
    assert told["pbx"] == "asterisk", said


@pytest.fixture
def tree() -> fetch.AsteriskTree:
    try:
        return fetch.asterisk(22)
    except fetch.NoAsterisk as error:
        missing(str(error))


@pytest.fixture
def beside(tmp_path: Path, tree: fetch.AsteriskTree) -> Iterator[Bare]:
    yield from bare_debian(tmp_path, {tree.prefix: PLACE})


def test_from_a_bare_debian_beside_an_asterisk_to_a_service_that_watches(
    beside: Bare, tree: fetch.AsteriskTree, tmp_path: Path
) -> None:
    walked = blocks(GUIDE, BUNDLE)
    with existing(beside, tree, tmp_path) as pbx:
        with pbx.carrier() as earlier:  # it was at work before: its logs are there
            earlier.call("500", caller="03012345679").wait_answered()
        beside.run(walked["install"], within_s=500)
        given = " --zone Europe/Berlin --yes"  # what a terminal would be asked
        said = beside.run(re.sub(r"(callback init .*)", rf"\1{given}", walked["settings"]))
        assert "queues: support" in said
        assert "trunks: PJSIP/acme" in said
        beside.run(printed(said))
        signals = 's/^# signals = ""/signals = "national"/'
        beside.run(f"sed -i '{signals}' /etc/lcr/callback.toml")  # what it says that it cannot know
        healthy(beside.run(walked["doctor"]))
        log = tmp_path / "service.log"
        service = beside.start(started_by_the_unit(), log)
        try:
            until(log, "pbx-up")
            with pbx.carrier() as customer, pbx.agent():
                call = customer.call("500", caller="03012345678").wait_answered()
                time.sleep(6)  # whoever gives up sooner than five seconds is recorded only
                call.hang_up()
                until(log, "reserved")
            shown = beside.run(walked["look"])
            assert "support" in shown, shown
            assert "only watched: calls are not switched on" in shown, shown
            assert "dialling" not in log.read_text()
        finally:
            child.stop(service, 10)


def printed(said: str) -> str:
    """The lines to paste on the PBX, as `callback init` prints them."""
    return "\n".join(re.findall(r"^    (.*)$", said.partition("1. On the PBX")[2].partition("\n2. ")[0], re.MULTILINE))


def healthy(said: str) -> None:
    """Only what is sound, and warnings that the page tells of."""
    troubles = [line for line in said.splitlines() if re.match(r"  (WARN|FAULT)", line)]
    assert [line for line in troubles if not any(word in line for word in KNOWN)] == [], said


def started_by_the_unit() -> str:
    """The command of lcr.service as its user: ExecStart, by way of the wrapper that the page installs."""
    unit = (REPOSITORY / "deploy" / "lcr.service").read_text()
    (command,) = re.findall(r"^ExecStart=/opt/lcr/bin/(callback .*)$", unit, re.MULTILINE)
    return str(command)


def until(log: Path, words: str, within_s: float = 60) -> None:
    """Wait until the service has said it."""
    deadline = time.monotonic() + within_s
    while words not in log.read_text(errors="replace"):
        assert time.monotonic() < deadline, f"no '{words}':\n{log.read_text(errors='replace')}"
        time.sleep(0.1)
