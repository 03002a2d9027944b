"""Callers who write lines into queue_log by their number while nobody listens, on a real Asterisk.

Beside them a real customer is lost, and called back: who alone, the phones tell.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from callback.store import tables as t
from lab.asterisk import Asterisk
from lab.phone import Carrier, Phone
from tests.live.cut import Cable
from tests.live.desk import CUSTOMER, DID
from tests.live.service import Service
from tests.live.test_hostile import calls, recovered_alone
from tests.live.test_outages import abandoned, wait_abandoned

pytestmark = pytest.mark.live

VICTIM = "07411900901"
HEADS = pytest.mark.parametrize("head", ["X", "X|1"], ids=["cut-line", "whole-line"])
"""How the forger's own line ends: without a position, which betrays it, or with one of his own making."""


@pytest.fixture
def cable(pbx: Asterisk) -> Iterator[Cable]:
    with Cable(pbx.ami_port) as between:
        yield between


@pytest.fixture
def service(pbx: Asterisk, cable: Cable, tmp_path: Path) -> Iterator[Service]:
    with Service(pbx, tmp_path, port=cable.port) as running:
        yield running


def forges(pbx: Asterisk, carrier: Carrier, head: str, line: str) -> None:
    """Let somebody call whose number writes this line of the log, and hang up at once."""
    before = abandoned(pbx)
    call = calls(carrier, f"{head}\n{line}").wait_answered()
    time.sleep(0.4)  # so long he is in the queue: his line is written by then
    call.hang_up()
    wait_abandoned(pbx, before + 1)


@HEADS
def test_a_call_that_never_was_is_not_called_back(
    pbx: Asterisk, carrier: Carrier, agent: Phone, cable: Cable, service: Service, head: str
) -> None:
    somebody = carrier.call(DID, caller="0312340000").wait_answered()  # counts go on from whom the service heard
    time.sleep(0.4)
    somebody.hang_up()
    service.wait("call")
    time.sleep(1)  # as often it notes which channel was the last
    cable.cut()
    customer = carrier.call(DID, caller=CUSTOMER).wait_answered()
    now = int(time.time())
    forges(pbx, carrier, head, f"{now}|{now}.881|sales|NONE|ENTERQUEUE||{VICTIM}")
    time.sleep(2)  # so long the call that never was has waited
    forges(pbx, carrier, head, f"{now + 2}|{now}.881|sales|NONE|ABANDON|1|1|2")
    customer.hang_up()
    customer.wait_ended()
    since = service.mark()
    cable.mend()
    gap = service.wait("gap", since=since)
    assert gap["why_not"] == ""
    if head == "X":
        assert gap["forged"] >= 2
        assert "callers wrote" in service.said()
    else:
        assert gap["unproved"] == 1
        assert [row.recovery for row in service.rows(t.call) if row.call_id == f"{now}.881"] == ["unproved"]
    service.wait("reserved")
    recovered_alone(pbx, carrier, service)


@HEADS
def test_who_is_made_to_look_served_is_called_back(
    pbx: Asterisk, carrier: Carrier, agent: Phone, cable: Cable, service: Service, head: str
) -> None:
    customer = carrier.call(DID, caller=CUSTOMER).wait_answered()
    (live,) = pbx.channels()
    uniqueid = live["Uniqueid"]
    time.sleep(1)  # so long the service listens to him
    cable.cut()
    now = int(time.time())
    forges(pbx, carrier, head, f"{now}|{uniqueid}|sales|agent2|CONNECT|1|{now}.99")
    forges(pbx, carrier, head, f"{now}|{uniqueid}|sales|agent2|COMPLETEAGENT|1|5")
    customer.hang_up()
    customer.wait_ended()
    since = service.mark()
    cable.mend()
    service.wait("gap", since=since)
    loss = service.wait("call", lambda call: call["call_id"] == uniqueid)
    assert (loss["kind"], loss["reason"]) == ("abandoned", "gave-up-waiting")
    service.wait("reserved")
    recovered_alone(pbx, carrier, service)
