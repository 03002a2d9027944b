"""The spine on a real Asterisk, judged by what the phones saw and heard."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from callback.store import tables as t
from lab import phone
from lab.asterisk import Asterisk
from lab.phone import AGENT_HZ, CUSTOMER_HZ, Carrier, Phone
from sms.outbox import text_outbox
from tests.live.desk import CUSTOMER, DID, lose, pause
from tests.live.service import Service, wall_clock

pytestmark = pytest.mark.live

CUT_S, LAST_S = 32, 8
"""From now to the evening's cut: a slow machine starts, loses a caller and texts him before its last seconds."""


@pytest.fixture
def service(pbx: Asterisk, tmp_path: Path) -> Iterator[Service]:
    with Service(pbx, tmp_path) as running:
        yield running


def state(service: Service) -> str:
    (row,) = service.rows(t.reservation)
    return str(row.state)


def test_a_lost_caller_is_texted_called_back_and_both_hear_each_other(
    pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service
) -> None:
    lose(carrier, service)
    service.wait_row(text_outbox, lambda text: text.state == "sent")
    assert "nobody's phone) to +819012345678: Sorry, your call did not get through" in service.said()
    assert carrier.rings == []
    pause(pbx, paused=False)
    customer = carrier.wait_call(CUSTOMER).wait_answered()
    talking = agent.wait_call().wait_answered()
    customer.wait_heard(AGENT_HZ)
    talking.wait_heard(CUSTOMER_HZ)
    assert talking.answered_at is not None
    assert talking.answered_at <= customer.at, "the agent comes first"
    assert (customer.caller_id, customer.caller_name) == ("0312345678", "Support")
    service.wait_row(t.attempt, lambda a: a.customer_answered_at is not None)
    time.sleep(max(0.0, 3.1 - customer.talked_s))  # whole seconds of talk are counted, and two are enough
    customer.hang_up()
    outcome = service.outcome()
    assert (outcome["outcome"], outcome["state"]) == ("reached", "reached")
    assert len(carrier.rings_of(CUSTOMER)) == 1


def test_busy_is_tried_again_and_reached(pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service) -> None:
    carrier.behave(CUSTOMER, phone.busy())
    lose(carrier, service)
    pause(pbx, paused=False)
    first = service.outcome()
    assert (first["outcome"], first["state"]) == ("busy", "waiting")
    carrier.behave(CUSTOMER, phone.answer(0.2, talk_s=3.2))
    again = service.outcome(since=service.news().index(first) + 1)
    assert again["outcome"] == "reached"
    assert [call.code for call in carrier.rings_of(CUSTOMER)] == [486, 200]
    assert [a.counted for a in service.rows(t.attempt)] == [True, True]


def test_no_answer_rings_no_longer_than_it_may_and_waits_for_its_turn(
    pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service
) -> None:
    carrier.behave(CUSTOMER, phone.no_answer())
    lose(carrier, service)
    pause(pbx, paused=False)
    outcome = service.outcome()
    (ring,) = carrier.rings_of(CUSTOMER)
    assert (outcome["outcome"], outcome["state"]) == ("no-answer", "waiting")
    assert outcome["again_at"] - outcome["at"] == pytest.approx(15 * 60e6, abs=5e6)
    assert ring.rang_at is not None
    assert ring.rang_until is not None
    assert ring.rang_until - ring.rang_at < 4.6e6


def test_an_invalid_number_is_given_up_with_a_second_text(
    pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service
) -> None:
    carrier.behave(CUSTOMER, phone.invalid())
    lose(carrier, service)
    pause(pbx, paused=False)
    outcome = service.outcome()
    assert (outcome["outcome"], outcome["state"]) == ("invalid-number", "given-up")
    service.wait_row(text_outbox, lambda text: text.template == "given-up" and text.state == "sent")
    assert len(carrier.rings) == 1


def test_without_an_agent_the_customers_phone_never_rings_and_no_try_is_spent(
    pbx: Asterisk, carrier: Carrier, agent: Phone, tmp_path: Path
) -> None:
    agent.script = phone.no_answer()
    with Service(pbx, tmp_path, agent_wait_s=3) as service:
        lose(carrier, service)
        pause(pbx, paused=False)
        outcome = service.outcome()
        assert (outcome["outcome"], outcome["state"]) == ("agent-no-answer", "waiting")
        assert carrier.rings == []
        assert [row.tries for row in service.rows(t.reservation)] == [0]
        agent.script = phone.answer(0.2)
        carrier.behave(CUSTOMER, phone.answer(0.2, talk_s=3.2))
        service.wait("outcome", lambda o: o["outcome"] == "reached")
    assert len(carrier.rings_of(CUSTOMER)) == 1


def test_a_caller_who_comes_back_by_himself_is_not_called(
    pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service
) -> None:
    lose(carrier, service)
    again = carrier.call(DID, caller="+819012345678").wait_answered()
    pause(pbx, paused=False)
    talking = agent.wait_call().wait_answered()
    assert talking.caller_id == "+819012345678", "he himself was put through, not a callback"
    again.wait_heard(AGENT_HZ)
    again.hang_up()
    service.wait("returned")
    assert state(service) == "returned"
    assert service.rows(t.attempt) == []
    assert {text.state for text in service.rows(text_outbox)} <= {"sent", "withdrawn"}
    assert carrier.rings == []


def until_seconds_before(instant_us: int, seconds: float) -> None:
    """Let the evening pass: what is tested happens in its last seconds."""
    time.sleep(max(0.0, instant_us / 1e6 - seconds - time.time()))


def test_the_evening_cut_passes_while_the_agents_phone_rings(
    pbx: Asterisk, carrier: Carrier, agent: Phone, tmp_path: Path
) -> None:
    agent.script = phone.no_answer()
    cut, cut_at = wall_clock(CUT_S), int(time.time() + CUT_S) * 1_000_000
    with Service(pbx, tmp_path, no_ring_after=cut, before_cut_min=0, agent_wait_s=30) as service:
        lose(carrier, service)
        until_seconds_before(cut_at, LAST_S)
        pause(pbx, paused=False)
        agent.wait_call().wait_ringing()
        assert service.outcome()["outcome"] == "agent-no-answer"
        service.wait("carried-over")
        assert max(ring.rang_until or 2**62 for ring in agent.rings) < cut_at
        assert carrier.rings == []
        assert [p.reason for p in service.rows(t.promise)] == ["evening", "carried-over"]


def test_the_evening_cut_passes_while_the_customers_phone_rings(
    pbx: Asterisk, carrier: Carrier, agent: Phone, tmp_path: Path
) -> None:
    carrier.behave(CUSTOMER, phone.no_answer())
    cut, cut_at = wall_clock(CUT_S), int(time.time() + CUT_S) * 1_000_000
    with Service(pbx, tmp_path, no_ring_after=cut, before_cut_min=0, ring_s=9) as service:
        lose(carrier, service)
        until_seconds_before(cut_at, LAST_S)
        pause(pbx, paused=False)
        ring = carrier.wait_call(CUSTOMER).wait_ringing()
        outcome = service.outcome()
        assert (outcome["outcome"], outcome["state"]) == ("no-answer", "waiting")
        ring.wait_ended()
        assert ring.rang_until is not None
        assert ring.rang_until < cut_at
        service.wait("carried-over")
        assert len(carrier.rings) == 1


def test_a_caller_who_comes_back_while_an_agent_is_sought_is_let_through_first(
    pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service
) -> None:
    agent.script = phone.no_answer()
    lose(carrier, service)
    pause(pbx, paused=False)
    sought = agent.wait_call().wait_ringing()
    again = carrier.call(DID, caller=CUSTOMER).wait_answered()
    outcome = service.outcome()
    assert outcome["outcome"] == "agent-no-answer"
    sought.wait_ended()
    talking = agent.wait_call().wait_ringing()
    talking.answer()
    again.wait_heard(AGENT_HZ)
    again.hang_up()
    service.wait("returned")
    assert carrier.rings == []


def test_in_watch_nobody_is_texted_and_nobody_is_rung(
    pbx: Asterisk, carrier: Carrier, agent: Phone, tmp_path: Path
) -> None:
    with Service(pbx, tmp_path, queue="support") as service:  # sales, where he calls, is not switched on
        lose(carrier, service)
        pause(pbx, paused=False)
        # A later caller of the queue is served: by then the loss was looked at many times.
        second = carrier.call(DID, caller="09012345699").wait_heard(AGENT_HZ, timeout_s=15)
        second.hang_up()
        service.wait("call", lambda call: call["kind"] == "served")
        assert service.rows(t.attempt) == []
        assert service.rows(text_outbox) == []
        assert carrier.rings == []
        shown = subprocess.run(
            [sys.executable, "-m", "callback", "queue", "--json", "-s", str(service.settings)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(shown.stdout)["why_not"] == "watch"


def test_doctor_finds_a_sound_installation_sound_and_names_each_fault(pbx: Asterisk, tmp_path: Path) -> None:
    service = Service(pbx, tmp_path)
    doctor = [sys.executable, "-m", "callback", "doctor", "-s", str(service.settings)]
    sound = subprocess.run(doctor, capture_output=True, text=True, check=False)
    assert sound.returncode == 0, sound.stdout
    assert "FAULT" not in sound.stdout
    settings = service.settings.read_text()
    service.settings.write_text(settings.replace("queues.sales", "queues.nobody"))
    unknown = subprocess.run(doctor, capture_output=True, text=True, check=False)
    assert unknown.returncode == 1
    assert "queue nobody is not on this PBX" in unknown.stdout
    service.settings.write_text(settings.replace(pbx.secret, "wrong"))
    refused = subprocess.run(doctor, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "manager.conf" in refused.stdout


def test_a_refused_login_stops_the_service_and_says_so(pbx: Asterisk, tmp_path: Path) -> None:
    service = Service(pbx, tmp_path)
    service.settings.write_text(service.settings.read_text().replace(pbx.secret, "wrong"))
    run = [sys.executable, "-m", "callback", "run", "-s", str(service.settings)]
    ended = subprocess.run(run, capture_output=True, text=True, check=False, timeout=30)
    assert ended.returncode == 2
    assert "refused the login of manager user 'lcr'" in ended.stderr
