"""Callers who write into the stream by their number, on a real Asterisk: the whole service, judged by the phones.

Beside each of them a real customer is lost, and called back.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from callback.store import tables as t
from lab.asterisk import Asterisk
from lab.phone import Call, Carrier, Phone
from sms.outbox import text_outbox
from tests.live.desk import CUSTOMER, DID, E164, lose, pause
from tests.live.service import Service

pytestmark = pytest.mark.live

VICTIM = "0909999666"
ID, LINK = "1795300000.1", "1"
LOST = (
    f"Event: Newchannel\r\nUniqueid: {ID}\r\nLinkedid: {LINK}\r\nCallerIDNum: {VICTIM}",
    f"Event: QueueCallerJoin\r\nUniqueid: {ID}\r\nCallerIDNum: {VICTIM}",
    f"Event: HangupRequest\r\nUniqueid: {ID}\r\nLinkedid: {LINK}\r\nChannel: P",
    f"Event: QueueCallerAbandon\r\nUniqueid: {ID}\r\nChannel: P\r\nQueue: sales",
    f"Event: Hangup\r\nUniqueid: {ID}\r\nLinkedid: {LINK}\r\nChannel: P",
)
"""A lost call that never was, one event from each of five callers."""
ASKED = f"Event: UserEvent\r\nUserEvent: LcrRequested\r\nCallerIDNum: {VICTIM}"
ODD = (
    "9" * 3000,
    "090\r1234567",
    "090\n1234567",
    "090\0" + VICTIM,
    "\xff\xfe\xe9",
    "\r\n",
    "\r\n\r\n\r\n\r\n",
    '"><;tag=1',
    f"{VICTIM}\r\nUniqueid: {ID}",
    f"{VICTIM}\r\n\r\nX",
    f"{VICTIM}\r\n\r\nEvent: QueueCallerJoin\r\nCallerIDNum: {VICTIM}",
)


@pytest.fixture
def service(pbx: Asterisk, tmp_path: Path) -> Iterator[Service]:
    with Service(pbx, tmp_path) as running:
        yield running


def calls(carrier: Carrier, text: str) -> Call:
    """Let somebody call whose SIP user is this text."""
    return carrier.call(DID, caller="".join(f"%{byte:02x}" for byte in text.encode("latin-1")))


def writes(carrier: Carrier, event: str) -> Call:
    """Let somebody call whose number ends the event in which it stands, and begins this one."""
    return calls(carrier, f"0901\r\n\r\n{event}")


def recovered_alone(pbx: Asterisk, carrier: Carrier, service: Service) -> None:
    """See that the customer who was lost is called back, that nobody else is, and that the forgeries are told."""
    pause(pbx, paused=False)
    carrier.wait_call(CUSTOMER).wait_answered()
    assert [ring.number for ring in carrier.rings] == [CUSTOMER]
    reserved = [news for news in service.news() if news["event"] == "reserved"]
    assert len(reserved) == len(service.rows(t.reservation)) == 1
    assert len(service.rows(text_outbox)) <= 1


def told_refused(service: Service) -> None:
    why = service.wait("pbx-refused")["why"]
    assert why.startswith("messages refused since the start: ")
    assert " forged; the newest of the stream: Event: " in why
    assert why.isascii()
    assert why.isprintable()


def test_a_forged_lost_call_is_none(pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service) -> None:
    forgers = [writes(carrier, event) for event in (*LOST, ASKED)]
    for forger in forgers:
        forger.wait_answered()
    time.sleep(1.2)  # as long as a loss must have waited to count
    carrier.hang_up()
    lose(carrier, service)
    told_refused(service)
    recovered_alone(pbx, carrier, service)


def test_a_caller_who_waits_is_neither_hung_up_nor_served_by_a_forger(
    pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service
) -> None:
    customer = carrier.call(DID, caller=CUSTOMER).wait_answered()
    (live,) = pbx.channels()
    him = f"Uniqueid: {live['Uniqueid']}\r\nLinkedid: 1\r\nChannel: P"
    forgers = [
        writes(carrier, event)
        for event in (
            f"Event: Hangup\r\n{him}",
            f"Event: HangupRequest\r\n{him}",
            f"Event: AgentConnect\r\n{him}",
            f"Event: QueueCallerAbandon\r\nQueue: q\r\n{him}",
            f"Event: NewCallerid\r\n{him}\r\nCallerIDNum: 0",
            f"Event: Hangup\r\nPrivilege: call,all\r\nChannel: {live['Channel']}",
        )
    ]
    for forger in forgers:
        forger.wait_answered()
    told_refused(service)
    time.sleep(1.2)  # the grace after a Hangup, in which nothing may be judged
    assert [news for news in service.news() if news["event"] == "call"] == []
    customer.hang_up()
    loss = service.wait("call", lambda call: call["number"] == E164)
    assert (loss["kind"], loss["reason"]) == ("abandoned", "gave-up-waiting")
    service.wait("reserved")
    carrier.hang_up()
    recovered_alone(pbx, carrier, service)


def test_odd_numbers_are_no_numbers(pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service) -> None:
    odd = [calls(carrier, text) for text in ODD]
    for call in odd:
        call.wait_answered()
    time.sleep(1.2)  # as long as a loss must have waited to count
    carrier.hang_up()
    lose(carrier, service)
    told_refused(service)
    lost = [news["number"] for news in service.news() if news["event"] == "call"]
    assert set(lost) == {E164, None, "090"}  # a NUL ends the number, for Asterisk too
    recovered_alone(pbx, carrier, service)


def test_a_flood_of_forgers(pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service) -> None:
    forgers = [writes(carrier, event) for _ in range(6) for event in LOST]
    for forger in forgers:
        forger.wait_answered()
    customer = carrier.call(DID, caller=CUSTOMER).wait_answered()
    time.sleep(1.2)  # as long as a loss must have waited to count
    since = service.mark()
    customer.hang_up()
    service.wait("reserved", since=since)
    told_refused(service)
    carrier.hang_up()
    recovered_alone(pbx, carrier, service)


def test_an_agent_who_talked_with_a_forger_is_free_again(
    pbx: Asterisk, carrier: Carrier, agent: Phone, service: Service
) -> None:
    """His number stands in the events of the agent's own channel too."""
    lose(carrier, service)
    forger = writes(carrier, LOST[-1]).wait_answered()
    pause(pbx, paused=False)
    agent.wait_call().wait_answered()
    time.sleep(0.3)  # they talk
    forger.hang_up()
    recovered_alone(pbx, carrier, service)
