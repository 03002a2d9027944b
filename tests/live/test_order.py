"""Callers who wait, callbacks, and callers who return: who is put through first, on a real Asterisk."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from callback.store import tables as t
from lab import phone
from lab.asterisk import Asterisk
from lab.phone import AGENT_HZ, Carrier, Phone
from tests.live.desk import CUSTOMER, DID, lose, pause, waiting_in_order
from tests.live.service import Service

pytestmark = pytest.mark.live


@pytest.fixture
def service(pbx: Asterisk, tmp_path: Path) -> Iterator[Service]:
    with Service(pbx, tmp_path) as running:
        yield running


def test_with_one_agent_who_waits_goes_before_the_callback(
    pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service
) -> None:
    agent.script = phone.no_answer()
    carrier.behave(CUSTOMER, phone.answer(0.2, talk_s=3.2))
    lose(carrier, service)
    waits = carrier.call(DID, caller="09012345601").wait_answered()
    pause(pbx, paused=False)
    first = agent.wait_call().wait_ringing()
    assert first.caller_id == "09012345601"
    assert service.rows(t.attempt) == [], "the one agent is his"
    first.answer()
    waits.wait_heard(AGENT_HZ)
    agent.script = phone.answer(0.2)
    waits.hang_up()
    assert service.outcome()["outcome"] == "reached"


def test_a_callback_that_looks_for_an_agent_stands_behind_a_later_caller(
    pbx: Asterisk, carrier: Carrier, agent: Phone, tmp_path: Path
) -> None:
    agent.script = phone.no_answer()
    carrier.behave(CUSTOMER, phone.answer(0.2, talk_s=3.2))
    with Service(pbx, tmp_path, agent_wait_s=20) as service:
        lose(carrier, service)
        pause(pbx, paused=False)
        sought = agent.wait_call().wait_ringing()
        later = carrier.call(DID, caller="09012345602").wait_answered()
        sought.refuse()
        second = agent.wait_call().wait_ringing()
        assert second.caller_id == "09012345602", "the later caller goes first"
        agent.script = phone.answer(0.2)
        second.answer()
        later.wait_heard(AGENT_HZ)
        later.hang_up()
        service.wait("outcome", lambda told: told["outcome"] == "reached", timeout_s=40)
    assert len(carrier.rings_of(CUSTOMER)) == 1


def test_who_returns_is_put_before_three_who_wait_however_his_number_is_signalled(
    pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service
) -> None:
    lose(carrier, service)  # 090…
    others = [carrier.call(DID, caller=f"0901234561{line}").wait_answered() for line in range(3)]
    again = carrier.call(DID, caller="+819012345678").wait_answered()
    told = service.wait("put-first")
    assert told["number"] == "+819012345678"
    if int(pbx.tree.version.partition(".")[0]) >= 22:  # 16 takes the priority and does not re-sort
        deadline = time.monotonic() + 5
        while waiting_in_order(pbx)[0] != "+819012345678" and time.monotonic() < deadline:
            time.sleep(0.05)
        first, *rest = waiting_in_order(pbx)
        assert first == "+819012345678"
        assert sorted(rest) == ["09012345610", "09012345611", "09012345612"]  # answered is not yet joined
        pause(pbx, paused=False)
        assert agent.wait_call().wait_answered().caller_id == "+819012345678"
        again.wait_heard(AGENT_HZ)
    for call in (again, *others):
        call.hang_up()
