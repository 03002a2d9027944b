"""Attempts in which not all goes its usual way: the customer comes first, or calls in himself meanwhile.

A restart of the PBX during an attempt that begins with the agent is in test_live_crashes.py.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from callback.store import tables as t
from lab import phone, rtp
from lab.asterisk import MUSIC_HZ, Asterisk
from lab.phone import AGENT_HZ, CUSTOMER_HZ, Carrier, Phone
from telephony.dialling.dialler import STOPS_WITHIN_S, Order, originate
from tests.live.desk import CUSTOMER, DID, lose, pause, waiting_in_order
from tests.live.listener import Listener
from tests.live.service import Service

pytestmark = pytest.mark.live

PLUS = "+819012345678"
CONNECTING_HZ, NOBODY_HZ = 500, 760


@pytest.fixture
def service(pbx: Asterisk, tmp_path: Path) -> Iterator[Service]:
    with Service(pbx, tmp_path) as running:
        yield running


@pytest.fixture
def customer_first(pbx: Asterisk, tmp_path: Path) -> Iterator[Service]:
    """The service, for a queue that rings its customers first; each announcement is a tone of its own."""
    for name, hz in (("CONNECTING", CONNECTING_HZ), ("NOBODY", NOBODY_HZ)):
        sound = tmp_path / name
        sound.with_suffix(".ulaw").write_bytes(b"".join(rtp.tone(hz)) * 5)
        pbx.action("Setvar", Variable=f"LCR_SOUND_{name}", Value=str(sound))
    with Service(pbx, tmp_path, first="customer", agent_wait_s=3) as running:
        yield running
    if pbx.running:
        for name in ("CONNECTING", "NOBODY"):
            pbx.action("Setvar", Variable=f"LCR_SOUND_{name}", Value="")


def talk_enough(call: phone.Call) -> None:
    """Whole seconds of talk are counted, and two are enough to be reached."""
    time.sleep(max(0.0, 3.1 - call.talked_s))


# The customer first


def test_a_customer_who_comes_first_is_told_and_put_through(
    pbx: Asterisk, carrier: Carrier, agent: Phone, customer_first: Service
) -> None:
    agent.script = phone.no_answer()
    lose(carrier, customer_first)
    pause(pbx, paused=False)
    customer = carrier.wait_call(CUSTOMER).wait_answered()
    assert agent.rings == [], "the customer comes first"
    assert (customer.caller_id, customer.caller_name) == ("0312345678", "Support")
    customer.wait_heard(CONNECTING_HZ)
    talking = agent.wait_call().wait_ringing()
    assert (talking.caller_id, talking.caller_name) == (PLUS, "CB abandoned 0min")
    customer.wait_heard(MUSIC_HZ)
    talking.answer()
    customer.wait_heard(AGENT_HZ)
    talking.wait_heard(CUSTOMER_HZ)
    talk_enough(talking)
    customer.hang_up()
    outcome = customer_first.outcome()
    assert (outcome["outcome"], outcome["state"]) == ("reached", "reached")
    assert len(carrier.rings_of(CUSTOMER)) == 1


def test_a_customer_who_waited_in_vain_is_told_raised_and_next_time_the_agent_comes_first(
    pbx: Asterisk, carrier: Carrier, agent: Phone, customer_first: Service
) -> None:
    agent.script = phone.no_answer()
    lose(carrier, customer_first)
    pause(pbx, paused=False)
    in_vain = carrier.wait_call(CUSTOMER).wait_answered()
    in_vain.wait_heard(NOBODY_HZ)
    agent.script = phone.answer(0.2)
    in_vain.wait_ended()
    assert in_vain.ended_by == "pbx"
    outcome = customer_first.outcome()
    assert (outcome["outcome"], outcome["state"]) == ("agent-no-answer", "waiting")
    (owed,) = customer_first.rows(t.reservation)
    assert (owed.tries, owed.severity) == (0, 1), "no fault of his, and he was let down once more"
    again = carrier.wait_call(CUSTOMER).wait_heard(AGENT_HZ)
    assert agent.rings[-1].answered_at is not None
    assert agent.rings[-1].answered_at <= again.at, "the agent comes first now"


def test_on_the_line_he_waits_before_everybody_else_and_may_leave(
    pbx: Asterisk, carrier: Carrier, agent: Phone, customer_first: Service
) -> None:
    agent.script = phone.no_answer()
    carrier.behave(CUSTOMER, phone.no_answer())
    lose(carrier, customer_first)
    pause(pbx, paused=False)
    customer = carrier.wait_call(CUSTOMER).wait_ringing()
    other = carrier.call(DID, caller="09012345601").wait_answered()
    agent.wait_call().wait_ringing()
    customer.answer()
    customer.wait_heard(MUSIC_HZ)
    assert waiting_in_order(pbx) == [PLUS, "09012345601"]
    customer.hang_up()
    outcome = customer_first.outcome()
    assert (outcome["outcome"], outcome["state"]) == ("customer-left", "waiting")
    assert [row.counted for row in customer_first.rows(t.attempt)] == [True]
    other.hang_up()


@pytest.mark.parametrize(
    ("script", "outcome"),
    [(phone.busy(), "busy"), (phone.no_answer(), "no-answer")],
)
def test_who_cannot_be_had_costs_no_agent_a_ring(
    pbx: Asterisk, carrier: Carrier, agent: Phone, customer_first: Service, script: phone.Script, outcome: str
) -> None:
    carrier.behave(CUSTOMER, script)
    lose(carrier, customer_first)
    pause(pbx, paused=False)
    assert customer_first.outcome()["outcome"] == outcome
    assert agent.rings == []
    assert len(carrier.rings_of(CUSTOMER)) == 1


@pytest.mark.parametrize("left_s", [-1, 3])
@pytest.mark.parametrize("used", [False, True])
def test_ticket_and_clock_hold_for_a_customer_who_comes_first_too(
    pbx: Asterisk, carrier: Carrier, agent: Phone, left_s: int, used: bool
) -> None:
    attempt = f"cf{secrets.token_hex(4)}"
    if used:
        pbx.action("DBPut", Family="lcr", Key=attempt, Val="ringing")
    carrier.behave(CUSTOMER, phone.no_answer())
    until = int(time.time()) + left_s
    order = Order(attempt, "sales", f"PJSIP/{CUSTOMER}@trunk", until, 5, 20, "03", "Us", PLUS, first="customer")
    placed = originate(order, time.time())
    variables = ",".join(value for name, value in placed if name == "Variable")
    with Listener(pbx) as listener:
        pbx.action("Originate", **{**dict(placed), "Variable": variables})
        listener.wait("Hangup", Uniqueid=f"lcr-{attempt}-1")
        refusals = [event["Why"] for event in listener.heard("UserEvent", UserEvent="LcrRefused")]
    if used or left_s < 0:
        assert refusals == ["used" if used else "late"]
        assert carrier.rings == []
        return
    (ring,) = carrier.rings
    ring.wait_ended()
    assert ring.rang_until is not None
    assert ring.rang_until < (until + STOPS_WITHIN_S) * 1_000_000


def test_down_until_a_customer_who_came_first_was_served(
    pbx: Asterisk, carrier: Carrier, agent2: Phone, tmp_path: Path
) -> None:
    member = {"Queue": "SUPPORT-A", "Interface": "PJSIP/agent2"}
    agent2.script = phone.answer(0.5)
    carrier.behave(CUSTOMER, phone.no_answer())
    with Service(pbx, tmp_path, queue="SUPPORT-A", first="customer") as service:
        lose(carrier, service, did="531")
        pbx.action("QueueAdd", **member)
        ring = carrier.wait_call(CUSTOMER).wait_ringing()
        service.kill()
        ring.answer()
        ring.wait_heard(AGENT_HZ)
        talk_enough(agent2.wait_call())
        ring.hang_up()
        pbx.wait_quiet()
        pbx.action("QueueRemove", **member)
        service.start()
        outcome = service.outcome()
    assert (outcome["outcome"], outcome["state"]) == ("reached", "reached")
    assert outcome["evidence"][0].startswith("ticket ended:ANSWER:16:")
    assert len(carrier.rings_of(CUSTOMER)) == 1


def test_down_until_a_customer_who_came_first_had_waited_in_vain(
    pbx: Asterisk, carrier: Carrier, agent: Phone, customer_first: Service
) -> None:
    agent.script = phone.no_answer()
    lose(carrier, customer_first)
    pause(pbx, paused=False)
    ring = carrier.wait_call(CUSTOMER).wait_ringing()
    customer_first.kill()
    ring.wait_ended()
    pbx.wait_quiet()
    pause(pbx, paused=True)
    customer_first.start()
    outcome = customer_first.outcome()
    assert outcome["outcome"] == "agent-no-answer"
    assert outcome["evidence"][0] == "ticket ended:NOBODY:16:"
    (attempt,) = customer_first.rows(t.attempt)
    assert attempt.customer_answered_at is not None
    assert [row.severity for row in customer_first.rows(t.reservation)] == [1]


def test_the_pbx_dies_while_a_customer_who_came_first_waits(
    pbx: Asterisk, carrier: Carrier, agent: Phone, customer_first: Service
) -> None:
    agent.script = phone.no_answer()
    lose(carrier, customer_first)
    pause(pbx, paused=False)
    carrier.wait_call(CUSTOMER).wait_heard(CONNECTING_HZ)
    pbx.kill()
    carrier.hang_up()
    agent.hang_up()
    pbx.boot()
    outcome = customer_first.outcome(timeout_s=40)
    assert (outcome["outcome"], outcome["state"]) == ("unknown", "waiting")
    assert outcome["again_at"] - outcome["at"] > 10 * 60e6, "nobody is rung again soon"
    assert len(carrier.rings_of(CUSTOMER)) == 1


# He calls in while we ring him


@pytest.mark.parametrize("first", ["agent", "customer"])
def test_who_calls_in_while_we_ring_him_is_served_once_and_rung_no_more(
    pbx: Asterisk, carrier: Carrier, agent: Phone, tmp_path: Path, first: str
) -> None:
    carrier.behave(CUSTOMER, phone.no_answer())
    with Service(pbx, tmp_path, first=first, ring_s=15) as service:
        lose(carrier, service)
        pause(pbx, paused=False)
        ours = carrier.wait_call(CUSTOMER).wait_ringing()
        his = carrier.call(DID, caller=PLUS).wait_answered()
        ours.wait_ended()
        assert (ours.ended_by, ours.answered_at) == ("pbx", None), "our ring is called off"
        outcome = service.outcome()
        assert (outcome["outcome"], outcome["state"]) == ("agent-cancelled", "waiting")
        his.wait_heard(AGENT_HZ)
        his.hang_up()
        service.wait("returned")
        (owed,) = service.rows(t.reservation)
        assert (owed.state, owed.tries) == ("returned", 0)
    assert len(carrier.rings_of(CUSTOMER)) == 1
    assert [call.caller_id for call in agent.rings if call.talked_s > 0][-1] == PLUS


# Priority before he joins


def test_who_returns_is_put_first_before_he_joins_however_his_number_is_signalled(
    pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service
) -> None:
    with Listener(pbx) as listener:
        lose(carrier, service)  # 090…
        told = listener.wait("VarSet", Variable="LCR_OWED_678")["Value"].split()
        assert told[1:] == ["010", "12345678"]
        others = [carrier.call("530", caller=f"0901234561{line}").wait_answered() for line in range(3)]
        for _ in others:
            listener.wait("QueueCallerJoin")
        again = carrier.call("530", caller=PLUS).wait_answered()
        assert listener.wait("QueueCallerJoin")["Position"] == "1"
        pause(pbx, paused=False)
        assert agent.wait_call().wait_answered().caller_id == PLUS
        again.wait_heard(AGENT_HZ)
        pause(pbx, paused=True)
        again.hang_up()
        assert listener.wait("VarSet", Variable="LCR_OWED_678")["Value"] == "", "nothing is owed to him any more"
        for call in others:
            call.hang_up()


# What the agent knows before the customer's phone rings


def test_the_agents_phone_shows_who_why_how_often_and_how_long(
    pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service
) -> None:
    agent.script = phone.no_answer()
    lose(carrier, service)
    again = carrier.call(DID, caller=PLUS).wait_answered()
    time.sleep(1.3)  # that long he waits
    again.hang_up()
    service.wait("merged")
    pause(pbx, paused=False)
    ringing = agent.wait_call().wait_ringing()
    assert (ringing.caller_id, ringing.caller_name) == (PLUS, "CB abandoned x2 0min")
    assert carrier.rings == [], "he knows it before the customer's phone rings"
    ringing.answer()
    carrier.wait_call(CUSTOMER).wait_heard(AGENT_HZ)
