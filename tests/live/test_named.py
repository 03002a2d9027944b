"""The agent who was rated is rung first, and no other phone: on a real Asterisk, with two agents of one queue."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from callback.customers import persons
from callback.reservations import follow_up
from callback.reservations.follow_up import FollowUp
from callback.settings.sections import load
from callback.site.context import current
from callback.site.work import Work
from callback.store import tables as t
from lab import phone
from lab.asterisk import Asterisk
from lab.phone import AGENT_HZ, CUSTOMER_HZ, Carrier, Phone
from scheduler.clock import HOUR, SECOND
from sms.outbox import text_outbox
from tests.live.desk import CUSTOMER, E164
from tests.live.service import Service

pytestmark = pytest.mark.live


@pytest.fixture
def service(pbx: Asterisk, tmp_path: Path) -> Iterator[Service]:
    with Service(pbx, tmp_path, queue="support", agent_wait_s=3) as running:
        yield running


def owe(service: Service, agent: str, for_s: float) -> int:
    """Reserve a follow-up that this agent alone is to make, for so long."""
    now = time.time_ns() // 1000
    with service.store.write() as connection:
        work = Work(connection, current(connection, load(service.settings), now), now)
        person = persons.person_of(connection, E164, now)
        wanted = FollowUp(person=person, queue="support", apart="case/1", by_at=now + 4 * HOUR, agent=agent,
                          agent_for_us=round(for_s * SECOND))  # fmt: skip
        return follow_up.reserve(work, wanted)


def test_the_named_agents_phone_rings_and_no_other_then_the_customers(
    pbx: Asterisk, carrier: Carrier, agent1: Phone, agent2: Phone, service: Service
) -> None:
    agent2.script = phone.answer(0.5)
    owe(service, "agent2", 600)
    customer = carrier.wait_call(CUSTOMER).wait_answered()
    (rung,) = agent2.rings
    assert (rung.caller_id, rung.caller_name) == (E164, "CB follow-up 0min")
    assert rung.answered_at is not None
    assert rung.answered_at <= customer.at, "the agent comes first"
    customer.wait_heard(AGENT_HZ)
    rung.wait_heard(CUSTOMER_HZ)
    time.sleep(max(0.0, 3.1 - customer.talked_s))  # whole seconds of talk are counted, and two are enough
    customer.hang_up()
    outcome = service.outcome()
    assert (outcome["outcome"], outcome["state"]) == ("reached", "reached")
    assert agent1.rings == []
    assert [(row.only_agent, row.agent) for row in service.rows(t.attempt)] == [("agent2", "agent2")]
    assert service.rows(text_outbox) == []


def test_who_does_not_answer_or_is_away_is_not_rung_on_and_then_the_other_is(
    pbx: Asterisk, carrier: Carrier, agent1: Phone, agent2: Phone, service: Service
) -> None:
    agent2.script = phone.no_answer()
    owe(service, "agent2", 10)
    assert service.outcome()["outcome"] == "agent-no-answer"
    pbx.action("QueuePause", Queue="support", Interface="PJSIP/agent2", Paused="true")
    assert (len(agent2.rings), agent1.rings) == (1, [])
    try:
        carrier.wait_call(CUSTOMER).wait_answered().hang_up()
    finally:
        pbx.action("QueuePause", Queue="support", Interface="PJSIP/agent2", Paused="false")
    (taken,) = agent1.rings
    (owed,) = service.rows(t.reservation)
    assert taken.at >= owed.agent_until_at, "not before the time of the other agent was over"
    assert len(agent2.rings) == 1
