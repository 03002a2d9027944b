"""Whatever happens to the console: callers are heard, texted and called back all the same, and it comes back."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab import phone
from lab.asterisk import Asterisk
from lab.phone import Carrier, Phone
from sms.outbox import text_outbox
from tests.live.consoles import answers, console, wait_answers, with_console
from tests.live.desk import CUSTOMER, DID, pause
from tests.live.service import Service

__all__ = ["console"]

pytestmark = pytest.mark.live

DEAD_S = 1.0


@pytest.fixture
def service(pbx: Asterisk, tmp_path: Path, console: str) -> Iterator[Service]:
    with with_console(Service(pbx, tmp_path), console) as running:
        yield running
        running.stop()


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def stop(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)


def fill(pid: int) -> None:
    """Take from it all the memory that it has not asked for yet: from now on the kernel refuses it any."""
    lines = (Path("/proc") / str(pid) / "status").read_text().splitlines()
    taken = next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmData:"))
    resource.prlimit(pid, resource.RLIMIT_DATA, (taken, resource.prlimit(pid, resource.RLIMIT_DATA)[1]))


@pytest.mark.parametrize("harm", [kill, stop, fill])
def test_a_console_in_trouble_troubles_no_caller(
    pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service, console: str, harm: Callable[[int], None]
) -> None:
    carrier.behave(CUSTOMER, phone.answer(0.2, talk_s=3.2))
    pid = service.wait("console-opened")["pid"]
    waiting = carrier.call(DID, caller=CUSTOMER).wait_answered()
    began, since = time.monotonic(), service.mark()
    harm(pid)
    if harm is stop:
        assert not answers(console, DEAD_S)
    else:
        assert service.wait("console-died", since=since)["again_in_s"] == 1.0
    time.sleep(max(0.0, 1.3 - (time.monotonic() - began)))  # so long somebody waits who is lost
    waiting.hang_up()
    service.wait("reserved", since=since)
    service.wait_row(text_outbox, lambda text: text.state == "sent")
    pause(pbx, paused=False)
    assert service.outcome()["outcome"] == "reached"
    assert len(carrier.rings_of(CUSTOMER)) == 1
    if harm is stop:
        assert not answers(console, DEAD_S)  # all of that went by without it
        os.kill(pid, signal.SIGCONT)
    else:
        assert service.wait("console-opened", since=since)["pid"] != pid
    wait_answers(console)
    if harm is fill:
        assert "the console ends: its memory is full" in service.said()


def test_a_console_ends_with_the_service_that_keeps_it_however_that_ends(service: Service, console: str) -> None:
    pid = service.wait("console-opened")["pid"]
    service.kill()
    deadline = time.monotonic() + 10
    while (Path("/proc") / str(pid)).exists():
        assert time.monotonic() < deadline, "the console outlived the service that kept it"
        time.sleep(0.05)
    assert not answers(console, DEAD_S)
    since = service.mark()
    service.start()
    service.wait("console-opened", since=since)
    wait_answers(console)
