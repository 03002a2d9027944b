"""One queue with one agent and one customer, as the live tests of the service need it."""

from __future__ import annotations

import time

from lab.asterisk import Asterisk
from lab.phone import Carrier
from tests.live.service import Service

CUSTOMER = "09012345678"
E164 = "+819012345678"
DID = "505"  # the queue sales, with agent2 alone


def pause(pbx: Asterisk, *, paused: bool) -> None:
    """Let the agent take calls, or not."""
    pbx.action("QueuePause", Queue="sales", Interface="PJSIP/agent2", Paused=str(paused).lower())


def lose(carrier: Carrier, service: Service, waited_s: float = 1.3, *, did: str = DID) -> int:
    """Let the customer wait, give up and be reserved; gives the reservation."""
    call = carrier.call(did, caller=CUSTOMER).wait_answered()
    time.sleep(waited_s)  # that long he waits: it is what the call is about
    since = service.mark()
    call.hang_up()
    return int(service.wait("reserved", since=since)["reservation"])


def waiting_in_order(pbx: Asterisk) -> list[str]:
    """Who waits in the queue, as the PBX would put them through."""
    entries = [reply for reply in pbx.action("QueueStatus", Queue="sales") if reply.get("Event") == "QueueEntry"]
    return [entry["CallerIDNum"] for entry in sorted(entries, key=lambda entry: int(entry["Position"]))]
