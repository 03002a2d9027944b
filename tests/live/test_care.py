"""A customer who was not content, on a real Asterisk: asked by text, called by the agent who was rated, asked again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from callback.store import tables as t
from lab import phone
from lab.asterisk import Asterisk
from lab.phone import AGENT_HZ, CUSTOMER_HZ, Carrier, Phone
from lab.twilio import FakeTwilio
from tests.live.desk import CUSTOMER, E164
from tests.live.service import Service, word_stands
from tests.live.texting import said, wait_open, with_texts

pytestmark = pytest.mark.live

SUPPORT = "500"


@pytest.fixture
def service(pbx: Asterisk, tmp_path: Path, twilio: FakeTwilio, door: str) -> Iterator[Service]:
    asking = Service(pbx, tmp_path, queue="support")
    with asking.settings.open("a") as settings:
        settings.write("[rules.queues.support.care]\nask_served = true\ncases = true\n")
    with with_texts(asking, twilio, door) as running:
        wait_open(door)
        yield running


def talk(call: phone.Call) -> None:
    """Whole seconds of talk are counted, and two are enough."""
    time.sleep(max(0.0, 3.1 - call.talked_s))
    call.hang_up()


def test_served_asked_not_content_called_by_who_was_rated_asked_again_satisfied(
    pbx: Asterisk, carrier: Carrier, agent1: Phone, agent2: Phone, service: Service, twilio: FakeTwilio, door: str
) -> None:
    pbx.action("QueuePause", Queue="support", Interface="PJSIP/agent2", Paused="true")
    try:
        served = carrier.call(SUPPORT, caller=CUSTOMER).wait_answered().wait_heard(AGENT_HZ)
        talk(served)
        twilio.wait(lambda: len(twilio.accepted) == 1, "the question")
    finally:
        pbx.action("QueuePause", Queue="support", Interface="PJSIP/agent2", Paused="false")
    assert twilio.accepted[0].body.startswith("Thank you for calling. How was our service just now?")
    (rated,) = agent1.rings

    said(twilio, door, E164, "1")
    customer = carrier.wait_call(CUSTOMER).wait_answered()
    (case,) = service.rows(t.care_case)
    assert (case.kind, case.state, case.source) == ("dissatisfied", "assigned", "survey")
    first, repairs = agent1.rings
    assert first is rated
    assert agent2.rings == [], "whose phone rings is who was rated"
    assert repairs.answered_at is not None
    assert repairs.answered_at <= customer.at, "the agent's phone first"
    customer.wait_heard(AGENT_HZ)
    repairs.wait_heard(CUSTOMER_HZ)
    talk(customer)

    assert service.outcome()["outcome"] == "reached"
    word_stands(service)
    twilio.wait(lambda: len(twilio.accepted) == 2, "the question after the repair")
    assert twilio.accepted[1].body.startswith("Thank you for talking with us once more.")
    said(twilio, door, E164, "5")
    closed = service.wait_row(t.care_case, lambda row: row.state == "closed")
    assert (closed.open, closed.score_after) == (False, 5)
    assert [(row.kind, row.score, row.agent) for row in service.rows(t.survey)] == [
        ("call", 1, case.agent), ("repair", 5, case.agent),
    ]  # fmt: skip
    steps = [row.event for row in service.rows(t.care_step)]
    assert steps[:4] == ["registered", "assigned", "scored", "reserved"]
    assert steps[-4:] == ["answered", "asked", "confirmed", "closed"]
    assert len(carrier.rings_of(CUSTOMER)) == 1
