"""Callers cannot have the filter that we ship hide anything: neither of themselves, nor of who talks with them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from lab.console import Console
from lab.errors import LabError
from telephony.ami.wanted import accepts
from telephony.listening.pipeline import WANTED
from tests.live.desk import CUSTOMER, DID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.asterisk import Asterisk
    from lab.phone import Carrier, Phone

pytestmark = pytest.mark.live

STRICT = "503"  # a queue that takes nobody while no agent is there
BAIT = "Event: MusicOnHoldStart"
HOSTILE = (
    BAIT,
    "0901\r\nEvent: VarSet",
    "0901\r\n\r\nEvent: VarSet\r\nPrivilege: dialplan,all",
    "0901\r\nVariable: CHANNEL\r\nValue: x",
    "\xff\xfe\xe9\r\nVariable: X",
    "0901\nEvent: DeviceStateChange",
    "^Event: VarSet$|(.*",
    "9" * 3000,
)


class Session:
    """What a session is sent, as it is sent, read all the while."""

    def __init__(self, console: Console) -> None:
        self._console, self._open = console, True
        self.heard: list[bytes] = []
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def close(self) -> None:
        """Hear no more."""
        self._open = False
        self._reading.join()
        self._console.close()

    def needed(self) -> Counter[bytes]:
        """Give what the service reads."""
        return Counter(raw for raw in self.heard if accepts(WANTED, raw))

    def wait(self, text: bytes, times: int = 1) -> None:
        """Wait for so many messages in all that hold this."""
        deadline = time.monotonic() + 20
        while sum(text in raw + b"\r\n" for raw in list(self.heard)) < times:
            assert time.monotonic() < deadline, f"{text!r} did not come {times} times"
            time.sleep(0.02)

    def _read(self) -> None:
        while self._open:
            try:
                self.heard.append(self._console.next_raw(0.2))
            except LabError:  # nothing came meanwhile
                continue


@contextmanager
def everything(pbx: Asterisk, *filters: str) -> Iterator[Session]:
    """Hear what a user with the service's classes and these filters is sent."""
    console = pbx.console()
    console.action("Events", EventMask="system,call,agent,user,dialplan,reporting")
    for one in filters:
        console.action("Filter", Operation="Add", Filter=one)
    with closing(Session(console)) as session:
        yield session


def talk_of(pbx: Asterisk, carrier: Carrier, agent: Phone, sessions: list[Session]) -> None:
    """Let hostile callers talk, be lost and be refused by a queue, beside a customer; wait until all is heard."""
    for number, text in enumerate(HOSTILE, 1):
        caller = "".join(f"%{byte:02x}" for byte in text.encode("latin-1"))
        refused = carrier.call(STRICT, caller=caller)
        talks = carrier.call(DID, caller=caller)
        agent.wait_call().wait_answered()
        waits = carrier.call(DID, caller=caller)
        sessions[0].wait(b"Event: QueueCallerJoin\r\n", 2 * number)
        waits.hang_up()
        talks.hang_up()
        refused.hang_up()
        pbx.wait_quiet()
    customer = carrier.call(DID, caller=CUSTOMER)
    agent.wait_call().wait_answered()
    customer.hang_up()
    pbx.wait_quiet()
    pbx.action("UserEvent", UserEvent="OverNow")
    for session in sessions:
        session.wait(b"OverNow")


def test_no_number_has_an_event_hidden_that_is_read(pbx: Asterisk, carrier: Carrier, agent2: Phone) -> None:
    with ExitStack() as stack:
        said = stack.enter_context(everything(pbx))
        service = stack.enter_context(closing(Session(Console(pbx.ami_port, pbx.username, pbx.secret))))
        talk_of(pbx, carrier, agent2, [said, service])
        assert said.needed() == service.needed()
        assert len(service.heard) < len(said.heard)
        told = b"\n".join(service.needed())
        for kind in (b"QUEUESTATUS", b"QueueCallerAbandon", b"AgentConnect", b"AgentComplete", b"Hangup"):
            assert told.count(kind) >= len(HOSTILE), kind


def test_a_filter_that_looks_anywhere_hides_what_a_number_names(pbx: Asterisk, carrier: Carrier, agent2: Phone) -> None:
    """So it is on a real Asterisk: hence `^`, and hence the doctor's bait."""
    with ExitStack() as stack:
        said, loose, bound = (
            stack.enter_context(everything(pbx, *filters)) for filters in ((), (f"!{BAIT}",), (f"!^{BAIT}",))
        )
        talk_of(pbx, carrier, agent2, [said, loose, bound])
        assert said.needed() == bound.needed()
        hidden = said.needed() - loose.needed()
        assert {raw[: raw.find(b"\r")] for raw in hidden} >= {b"Event: Hangup", b"Event: AgentConnect"}
        assert all(BAIT.encode() in raw for raw in hidden)
