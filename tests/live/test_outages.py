"""Outages with calls that come and go in them: whom the phones know to be lost is lost in the books, and once.

Every caller has a number of his own. Who never heard an agent and is gone was lost: so say the phones. Against that
stand the service's rows.
"""

from __future__ import annotations

import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from callback.store import tables as t
from lab import phone
from lab.asterisk import Asterisk
from lab.phone import AGENT_HZ, Call, Carrier, Phone
from tests.live.cut import Cable
from tests.live.desk import DID, pause
from tests.live.service import Service

pytestmark = pytest.mark.live

WAITED_S = 2.2
"""queue_log counts whole seconds; one is the least that a caller must have waited here to be lost."""


@pytest.fixture
def cable(pbx: Asterisk) -> Iterator[Cable]:
    with Cable(pbx.ami_port) as between:
        yield between


class Callers:
    """Everybody who calls, and what his phone knows."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self.calls: dict[str, Call] = {}

    def call(self, line: int) -> Call:
        """Call the queue and wait in it."""
        number = f"0901234{line:04}"
        self.calls[number] = self._carrier.call(DID, caller=number).wait_answered()
        return self.calls[number]

    def come_and_go(self, line: int) -> Call:
        """Call, wait, and give up."""
        call = self.call(line)
        self.wait(call)
        call.hang_up()
        return call

    @staticmethod
    def wait(call: Call, waited_s: float = WAITED_S) -> None:
        time.sleep(max(0.0, waited_s - call.talked_s))  # so long the caller waits: it is what the call is about

    def lost(self) -> Counter[str]:
        """Whom the phones know to be lost, in E.164."""
        gone = {number for number, call in self.calls.items() if call.state == "ended" and not call.heard(AGENT_HZ)}
        return Counter(f"+81{number[1:]}" for number in gone)


def leave(calls: list[Call]) -> None:
    """Give up one after the other."""
    for call in calls:
        call.hang_up()
        time.sleep(0.15)  # the next one gives up a moment later


def losses(service: Service) -> Counter[str]:
    """Whose losses are in the books, as often as they are."""
    numbers = {row.id: row.number for row in service.rows(t.person)}
    people = {row.call_id: row.person_id for row in service.rows(t.call)}
    return Counter(numbers[people[row.call_id]] for row in service.rows(t.loss))


def reserved(service: Service) -> Counter[str]:
    numbers = {row.id: row.number for row in service.rows(t.person)}
    return Counter(numbers[row.person_id] for row in service.rows(t.reservation))


def agree(callers: Callers, service: Service) -> None:
    """The phones and the books tell the same, each loss once."""
    assert losses(service) == callers.lost()
    assert reserved(service) == callers.lost()


def abandoned(pbx: Asterisk) -> int:
    """How many abandons the PBX has written to its queue_log."""
    return pbx.queue_log.read_bytes().count(b"|ABANDON|")


def wait_abandoned(pbx: Asterisk, count: int, timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while abandoned(pbx) < count:
        assert time.monotonic() < deadline, f"no {count} abandons in queue_log within {timeout_s} s"
        time.sleep(0.02)


def all_judged(callers: Callers, service: Service) -> None:
    """Wait until every call that is over has its verdict."""
    over = {f"+81{number[1:]}" for number, call in callers.calls.items() if call.state == "ended"}
    for number in over:
        service.wait("call", lambda told, number=number: told["number"] == number)  # type: ignore[misc]


def test_calls_that_came_and_went_while_the_service_was_down(
    pbx: Asterisk, carrier: Carrier, agent: Phone, tmp_path: Path
) -> None:
    callers = Callers(carrier)
    with Service(pbx, tmp_path) as service:
        callers.come_and_go(1)
        all_judged(callers, service)
        through, until = callers.call(2), callers.call(3)
        service.kill()
        callers.wait(until)
        until.hang_up()
        for line in (4, 5):
            callers.come_and_go(line)
        since = service.mark()
        service.start()
        gap = service.wait("gap", since=since)
        assert gap["why_not"] == ""
        through.hang_up()
        all_judged(callers, service)
        agree(callers, service)
        assert len(callers.lost()) == 5
        assert {row.source for row in service.rows(t.verdict)} == {"live-complete", "live-partial", "log"}


def test_callers_who_give_up_one_by_one_while_the_service_starts(
    pbx: Asterisk, carrier: Carrier, agent: Phone, tmp_path: Path
) -> None:
    """Before it listens, while it takes stock, while it reads the log, and afterwards."""
    callers = Callers(carrier)
    with Service(pbx, tmp_path) as service:
        callers.come_and_go(1)
        all_judged(callers, service)
        service.kill()
        inside = [callers.call(line) for line in range(2, 22)]
        callers.wait(inside[-1])
        leaving = threading.Thread(target=leave, args=(inside,))
        leaving.start()
        service.start()
        leaving.join()
        all_judged(callers, service)
        agree(callers, service)
        assert len(callers.lost()) == 21


def test_a_caller_who_was_served_meanwhile_is_owed_nothing(
    pbx: Asterisk, carrier: Carrier, agent: Phone, tmp_path: Path
) -> None:
    callers = Callers(carrier)
    agent.script = phone.answer(0.2)
    with Service(pbx, tmp_path) as service:
        callers.come_and_go(1)
        all_judged(callers, service)
        service.kill()
        again = carrier.call(DID, caller="09012340001").wait_answered()
        pause(pbx, paused=False)
        again.wait_heard(AGENT_HZ, timeout_s=10)
        again.hang_up()
        pause(pbx, paused=True)
        service.start()
        service.wait("returned")
        assert [row.open for row in service.rows(t.reservation)] == [False]
        assert carrier.rings == []


def test_the_connection_is_cut_with_callers_inside(
    pbx: Asterisk, carrier: Carrier, agent: Phone, cable: Cable, tmp_path: Path
) -> None:
    callers = Callers(carrier)
    with Service(pbx, tmp_path, port=cable.port) as service:
        stays, leaves = callers.call(1), callers.call(2)
        callers.wait(leaves)
        cable.cut()
        leaves.hang_up()
        callers.come_and_go(3)
        since = service.mark()
        cable.mend()
        service.wait("pbx-up", since=since)
        stays.hang_up()
        callers.come_and_go(4)
        all_judged(callers, service)
        agree(callers, service)
        assert len(callers.lost()) == 4


def test_a_service_that_stood_still_loses_nobody_who_came_and_went_meanwhile(
    pbx: Asterisk, carrier: Carrier, agent: Phone, tmp_path: Path
) -> None:
    """What it reads then is old: that a channel is not there any more proves no forgery."""
    callers = Callers(carrier)
    with Service(pbx, tmp_path) as service:
        service.signal(signal.SIGSTOP)
        callers.come_and_go(1)
        callers.come_and_go(2)
        service.signal(signal.SIGCONT)
        all_judged(callers, service)
        agree(callers, service)
        assert len(callers.lost()) == 2


@pytest.mark.parametrize("down", [False, True], ids=["service-up", "service-down"])
def test_the_pbx_is_killed_with_callers_waiting_and_talking(
    pbx: Asterisk, carrier: Carrier, agent: Phone, tmp_path: Path, down: bool
) -> None:
    callers = Callers(carrier)
    with Service(pbx, tmp_path) as service:
        pause(pbx, paused=False)
        talks = callers.call(1).wait_heard(AGENT_HZ, timeout_s=10)
        waits = callers.call(2)
        callers.wait(waits)
        if down:
            service.kill()
            before = abandoned(pbx)
            callers.come_and_go(3)
            wait_abandoned(pbx, before + 1)
        pbx.kill()
        for call in (talks, waits, *agent.calls):
            call.vanish()
        since = service.mark()
        pbx.boot()
        pause(pbx, paused=True)
        if down:
            service.start()
        else:
            service.wait("pbx-up", since=since)
        callers.come_and_go(4)
        all_judged(callers, service)
        lost = callers.lost() + Counter(["+819012340001"])  # who was talking was cut off, and lost by that
        assert losses(service) == lost, service.said()
        kinds = {row.reason: row.kind for row in service.rows(t.verdict) if row.reason == "pbx-restarted"}
        assert kinds
        assert Counter(row.kind for row in service.rows(t.verdict) if row.reason == "pbx-restarted") == Counter(
            ["dropped", "blocked"]
        )


def test_a_loss_learnt_too_late_is_kept_and_not_acted_on(
    pbx: Asterisk, carrier: Carrier, agent: Phone, tmp_path: Path
) -> None:
    callers = Callers(carrier)
    with Service(pbx, tmp_path, window_min=0.15, aim_min=0.1, ring_s=3, short_abandon_s=3) as service:
        callers.come_and_go(2)  # a short abandon that is heard: the Uniqueid of the next one follows it
        all_judged(callers, service)
        service.kill()
        over = callers.call(1)
        callers.wait(over, 2 * WAITED_S)
        over.hang_up()
        over.wait_ended()
        time.sleep(10)  # past his deadline
        since = service.mark()
        service.start()
        told = service.wait("not-recovered", since=since)
        assert told["why"] == "late-news"
        assert service.rows(t.reservation) == []
        assert carrier.rings == []


def test_a_database_that_is_away_loses_nobody(pbx: Asterisk, carrier: Carrier, agent: Phone, tmp_path: Path) -> None:
    callers = Callers(carrier)
    with Service(pbx, tmp_path) as service:
        away = sqlite3.connect(tmp_path / "lost-calls.db", isolation_level=None)
        away.execute("BEGIN EXCLUSIVE")
        for line in range(1, 4):
            callers.come_and_go(line)
        away.execute("ROLLBACK")
        away.close()
        all_judged(callers, service)
        agree(callers, service)
        assert len(callers.lost()) == 3
