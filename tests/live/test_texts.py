"""The whole way of a text on a real Asterisk: a call lost, a text by Twilio's client, a reply, a callback."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from os import kill
from pathlib import Path

import pytest

from callback.store import tables as t
from lab import phone
from lab.asterisk import Asterisk
from lab.phone import AGENT_HZ, Carrier, Phone
from lab.twilio import FakeTwilio, reply
from sms.outbox import text_outbox
from tests.live.desk import CUSTOMER, lose, pause
from tests.live.service import Service
from tests.live.texting import OURS, said, wait_open, with_texts

pytestmark = pytest.mark.live

HIM = "+819012345678"


@pytest.fixture
def service(pbx: Asterisk, tmp_path: Path, twilio: FakeTwilio, door: str) -> Iterator[Service]:
    with with_texts(Service(pbx, tmp_path, retry_busy_min=30), twilio, door) as running:
        wait_open(door)
        yield running
        running.stop()


def test_a_lost_caller_is_texted_answers_1_and_is_called_at_once(
    pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service, twilio: FakeTwilio, door: str
) -> None:
    carrier.behave(CUSTOMER, phone.busy())
    lose(carrier, service)
    twilio.wait(lambda: bool(twilio.accepted), "the text")
    assert (twilio.accepted[0].to, twilio.accepted[0].sender) == (HIM, OURS)
    service.wait_row(text_outbox, lambda text: text.delivery == "delivered")

    pause(pbx, paused=False)
    carrier.wait_call(CUSTOMER)
    assert service.outcome()["outcome"] == "busy"  # and he would be tried again in half an hour
    carrier.behave(CUSTOMER, phone.answer(0.2))
    assert reply(said(twilio, door, HIM, " 1 "))
    customer = carrier.wait_call(CUSTOMER).wait_answered()
    customer.wait_heard(AGENT_HZ)
    time.sleep(max(0.0, 3.1 - customer.talked_s))  # whole seconds of talk are counted, and two are enough
    customer.hang_up()
    service.wait_row(t.reservation, lambda row: row.state == "reached")
    assert [row.wish for row in service.rows(t.answer)] == ["choice-1"]
    assert len([text for text in twilio.accepted if text.body == twilio.accepted[0].body]) == 1


def test_a_door_that_dies_is_opened_again_and_the_calls_go_on(
    pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service, twilio: FakeTwilio, door: str
) -> None:
    opened = service.wait("door-opened")
    kill(opened["pid"], signal.SIGKILL)
    service.wait("door-died")
    lose(carrier, service)
    wait_open(door)
    service.wait_row(text_outbox, lambda text: text.state == "sent")
    pause(pbx, paused=False)
    carrier.wait_call(CUSTOMER).wait_answered()
