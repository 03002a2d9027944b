"""The spine under kill -9 of the service and of the PBX: nobody is lost, nobody is rung twice, unknown is said."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from callback.store import tables as t
from lab import phone
from lab.asterisk import Asterisk
from lab.phone import AGENT_HZ, CUSTOMER_HZ, Carrier, Phone
from tests.live.desk import CUSTOMER, DID, lose, pause
from tests.live.service import Service

pytestmark = pytest.mark.live


@pytest.fixture
def service(pbx: Asterisk, tmp_path: Path) -> Iterator[Service]:
    with Service(pbx, tmp_path) as running:
        yield running


def test_killed_between_reservation_and_dial(pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service) -> None:
    carrier.behave(CUSTOMER, phone.answer(0.2, talk_s=3.2))
    lose(carrier, service)
    service.kill()
    pause(pbx, paused=False)
    service.start()
    assert service.outcome()["outcome"] == "reached"
    assert len(carrier.rings_of(CUSTOMER)) == 1
    assert len(service.rows(t.reservation)) == 1


def test_killed_while_a_caller_waits(pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service) -> None:
    call = carrier.call(DID, caller=CUSTOMER).wait_answered()
    time.sleep(1.3)  # he waits
    service.kill()
    service.start()
    call.hang_up()
    told = service.wait("reserved")
    assert told["number"] == "+819012345678"
    assert len(service.rows(t.reservation)) == 1


def test_killed_between_dial_and_answer(pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service) -> None:
    carrier.behave(CUSTOMER, phone.no_answer())
    lose(carrier, service)
    pause(pbx, paused=False)
    ring = carrier.wait_call(CUSTOMER).wait_ringing()
    service.kill()
    ring.answer()
    service.start()
    ring.wait_heard(AGENT_HZ)
    agent.rings[-1].wait_heard(CUSTOMER_HZ)
    time.sleep(max(0.0, 3.1 - ring.talked_s))  # whole seconds of talk are counted, and two are enough
    ring.hang_up()
    assert service.outcome()["outcome"] == "reached"
    assert len(carrier.rings_of(CUSTOMER)) == 1


def test_down_until_the_callback_has_ended(pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service) -> None:
    carrier.behave(CUSTOMER, phone.answer(0.8, talk_s=3.2))
    lose(carrier, service)
    pause(pbx, paused=False)
    ring = carrier.wait_call(CUSTOMER).wait_ringing()
    service.kill()
    ring.wait_ended()
    pbx.wait_quiet()
    service.start()
    outcome = service.outcome()
    assert (outcome["outcome"], outcome["state"]) == ("reached", "reached")
    assert outcome["evidence"][0].startswith("ticket ended:ANSWER:16:")
    assert len(carrier.rings_of(CUSTOMER)) == 1


def test_down_until_nobody_answered(pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service) -> None:
    carrier.behave(CUSTOMER, phone.no_answer())
    lose(carrier, service)
    pause(pbx, paused=False)
    ring = carrier.wait_call(CUSTOMER).wait_ringing()
    service.kill()
    ring.wait_ended()
    pbx.wait_quiet()
    service.start()
    outcome = service.outcome()
    assert (outcome["outcome"], outcome["state"]) == ("no-answer", "waiting")
    assert len(carrier.rings_of(CUSTOMER)) == 1


def test_the_pbx_is_restarted_before_the_dial(pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service) -> None:
    carrier.behave(CUSTOMER, phone.answer(0.2, talk_s=3.2))
    lose(carrier, service)
    since = service.mark()
    pbx.kill()
    pbx.boot()  # a member's pause does not outlive the PBX: the agent is free now
    service.wait("pbx-up", since=since)
    assert service.outcome()["outcome"] == "reached"
    assert len(carrier.rings_of(CUSTOMER)) == 1


def test_the_pbx_dies_while_the_customers_phone_rings(
    pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service
) -> None:
    carrier.behave(CUSTOMER, phone.no_answer())
    lose(carrier, service)
    pause(pbx, paused=False)
    carrier.wait_call(CUSTOMER).wait_ringing()
    pbx.kill()
    carrier.hang_up()
    agent.hang_up()
    pbx.boot()
    outcome = service.outcome(timeout_s=40)
    assert (outcome["outcome"], outcome["state"]) == ("unknown", "waiting")
    assert outcome["again_at"] - outcome["at"] > 10 * 60e6, "nobody is rung again soon"
    assert [row.counted for row in service.rows(t.attempt)] == [True]
    assert len(carrier.rings_of(CUSTOMER)) == 1


def test_both_die_while_an_agent_is_sought(pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service) -> None:
    agent.script = phone.no_answer()
    lose(carrier, service)
    pause(pbx, paused=False)
    agent.wait_call().wait_ringing()
    service.kill()
    pbx.kill()
    agent.hang_up()
    pbx.boot()
    service.start()
    outcome = service.outcome(timeout_s=40)
    assert outcome["outcome"] == "unknown", "a restart may have taken the ticket with it"
    assert carrier.rings == []


def test_a_stop_that_is_asked_for_leaves_a_callback_to_the_pbx(
    pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service
) -> None:
    carrier.behave(CUSTOMER, phone.answer(0.5, talk_s=3.2))
    lose(carrier, service)
    pause(pbx, paused=False)
    ring = carrier.wait_call(CUSTOMER)
    assert service.stop() == 0
    service.start()
    assert service.outcome()["outcome"] == "reached"
    ring.wait_ended()
    assert len(carrier.rings_of(CUSTOMER)) == 1
