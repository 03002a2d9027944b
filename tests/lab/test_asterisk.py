"""The lab's Asterisk: several side by side, each with its own memory, none left behind."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.asterisk import Asterisk
from lab.console import Console
from lab.errors import LabError
from tests.children import child

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.fetch import AsteriskTree
    from lab.phone import Carrier

pytestmark = pytest.mark.live

STARTS_ONE_AND_WAITS = """
import signal, sys
from pathlib import Path
from lab.asterisk import Asterisk
with Asterisk.start(Path(sys.argv[1])) as pbx:
    print(pbx.pid, flush=True)
    signal.pause()
"""


def wait_until(seen: Callable[[], bool], timeout_s: float = 10) -> bool:
    deadline = time.monotonic() + timeout_s
    while not seen() and time.monotonic() < deadline:
        time.sleep(0.02)
    return seen()


def lives(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def stored(pbx: Asterisk, key: str) -> str:
    return next((reply["Val"] for reply in pbx.action("DBGet", Family="lab", Key=key) if "Val" in reply), "")


def test_the_service_may_listen_and_originate_and_no_more(pbx: Asterisk) -> None:
    with Console(pbx.ami_port, pbx.username, pbx.secret) as service:
        assert service.action("QueueStatus", Queue="support")[1]["Event"] == "QueueParams"
        assert service.action("DBGet", Family="lab", Key="none")[0]["Message"] == "Database entry not found"
        assert "Permission denied" in service.action("Command", Command="core show uptime")[0]["Message"]
        assert "Permission denied" in service.action("DBPut", Family="lab", Key="a", Val="b")[0]["Message"]


def test_a_wrong_secret_is_refused(pbx: Asterisk) -> None:
    with pytest.raises(LabError, match="refuses lcr"):
        Console(pbx.ami_port, "lcr", "guess")


PROBE = {("lcr-probe", "lcr-probe")}
"""The pretend agent of the service's probe, in its own queue."""


def test_queues_have_their_members(pbx: Asterisk) -> None:
    replies = pbx.action("QueueStatus")
    members = {(one["Queue"], one["Name"]) for one in replies if one.get("Event") == "QueueMember"}
    assert members - PROBE == {("support", "agent1"), ("support", "agent2"), ("sales", "agent2")}


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_what_it_stored_outlives_it(pbx: Asterisk, end: str) -> None:
    pbx.action("DBPut", Family="lab", Key=end, Val="kept")
    if end == "kill":
        wait_until(lambda: False, 1.2)  # AstDB reaches the disk once a second: what is younger dies with the process
    before = (pbx.pid, pbx.ami_port, pbx.secret)
    getattr(pbx, end)()
    assert not pbx.running
    pbx.boot()
    assert stored(pbx, end) == "kept"
    assert pbx.pid != before[0]
    assert (pbx.ami_port, pbx.secret) == before[1:]


def test_calls_work_after_a_restart(pbx: Asterisk, carrier: Carrier) -> None:
    carrier.call("502", caller="09012345678").wait_answered()
    pbx.kill()
    pbx.boot()
    assert pbx.channels() == []
    carrier.call("502", caller="09012345678").wait_answered()


def test_two_stand_side_by_side(pbx: Asterisk, asterisk_tree: AsteriskTree, tmp_path: Path) -> None:
    with Asterisk.start(tmp_path / "second", tree=asterisk_tree) as second:
        assert second.ami_port != pbx.ami_port
        with pbx.carrier() as here, second.carrier() as there:
            calls = [here.call("502", caller="09011111111"), there.call("502", caller="09022222222")]
            for call in calls:
                call.wait_answered()
            assert {one["CallerIDNum"] for one in pbx.channels()} == {"09011111111"}
            assert {one["CallerIDNum"] for one in second.channels()} == {"09022222222"}


def test_a_killed_owner_leaves_no_asterisk(asterisk_tree: AsteriskTree, tmp_path: Path) -> None:
    assert asterisk_tree.binary.exists()
    with child([sys.executable, "-c", STARTS_ONE_AND_WAITS, str(tmp_path)]) as owner:
        assert owner.stdout
        pid = int(owner.stdout.readline())
        assert lives(pid)
        os.kill(owner.pid, signal.SIGKILL)
    assert wait_until(lambda: not lives(pid))


def test_one_that_cannot_start_says_why(asterisk_tree: AsteriskTree, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/asterisk.conf").mkdir()
    with pytest.raises((LabError, IsADirectoryError)):
        Asterisk.start(tmp_path, tree=asterisk_tree)
