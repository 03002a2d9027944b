"""Phones of the lab: an agent's desk phone, and the carrier behind which all customers live.

A phone does with a call what its script says, or what a test tells it. It keeps every call it saw.
"""

import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from lab import sip
from lab.call import Call
from lab.errors import PhoneError
from lab.loop import shared
from lab.rtp import Sound

__all__ = [
    "AGENT_HZ",
    "CUSTOMER_HZ",
    "Call",
    "Carrier",
    "Phone",
    "PhoneError",
    "Script",
    "answer",
    "busy",
    "decline",
    "invalid",
    "never_reply",
    "no_answer",
]

AGENT_HZ = 620
CUSTOMER_HZ = 440
ANSWERED = 200


@dataclass(frozen=True, slots=True)
class Script:
    """What a phone does with a call that comes in.

    After `after_s` it sends the final `status`: 200 answers, all else refuses. None waits until told.
    Meanwhile it rings, unless `rings` is off; with `replies` off the PBX hears nothing. It hangs up after
    `talk_s` of talk.
    """

    after_s: float | None = 0.3
    status: int = ANSWERED
    rings: bool = True
    replies: bool = True
    talk_s: float | None = None
    sound: Sound = "tone"


def answer(after_s: float = 0.3, *, talk_s: float | None = None, sound: Sound = "tone") -> Script:
    """Ring for `after_s`, answer, and hang up after `talk_s` (None: the other side does)."""
    return Script(after_s, talk_s=talk_s, sound=sound)


def no_answer() -> Script:
    """Ring, and let it ring; a test may answer by hand."""
    return Script(None)


def busy() -> Script:
    """Be engaged: 486."""
    return Script(0, 486, rings=False)


def decline(after_s: float = 0.5) -> Script:
    """Ring, then turn the call away: 603."""
    return Script(after_s, 603)


def invalid() -> Script:
    """Be no number at all: 404."""
    return Script(0, 404, rings=False)


def never_reply() -> Script:
    """Be unreachable: not a word."""
    return Script(None, rings=False, replies=False)


class Phone:
    """A phone at `address` that the PBX at `pbx` calls without registration; it sends a tone of `hz`."""

    def __init__(self, address: sip.Address, pbx: sip.Address, *, hz: int, script: Script | None = None) -> None:
        self.hz = hz
        self.pbx = pbx
        self.script = script or answer()
        self.calls: list[Call] = []
        self.loop = shared()
        self._by_id: dict[str, Call] = {}
        self._waited_for: set[int] = set()
        self._rung = threading.Condition()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(address)
        self._open = True
        self.loop.call(lambda: self.loop.watch(self._socket.fileno(), self._receive))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    @property
    def address(self) -> sip.Address:
        """Where this phone receives SIP."""
        host, port = self._socket.getsockname()
        return host, port

    @property
    def rings(self) -> list[Call]:
        """Every call that the PBX placed to this phone, in order."""
        return [call for call in self.calls if not call.placed]

    def call(self, did: str, *, caller: str = "", name: str = "", sound: Sound = "tone") -> Call:
        """Place a call to `did`, showing `caller`; it is on its way when this returns."""

        def place() -> Call:
            call = Call.place(self, did, caller=caller, name=name, sound=sound)
            self._keep(call)
            return call

        return self.loop.call(place)

    def wait_call(self, number: str | None = None, timeout_s: float = 20) -> Call:
        """Wait for the next call to this phone (to `number`) that was not waited for yet; it may be over.

        Raises `PhoneError` if none comes in time.
        """

        def fresh() -> Call | None:
            wanted = (call for call in self.rings if number in {None, call.number})
            return next((call for call in wanted if id(call) not in self._waited_for), None)

        with self._rung:
            self._rung.wait_for(lambda: fresh() is not None, timeout_s)
            call = fresh()
            if call is None:
                raise PhoneError(f"nobody called {number or self.address} within {timeout_s} s; seen: {self.calls}")
            self._waited_for.add(id(call))
            return call

    def close(self) -> None:
        """End every call and be gone. Raises `PhoneError` if the phone itself went wrong on the way."""
        self.hang_up()
        self.loop.call(self._close)
        faults, self.loop.faults = self.loop.faults, []
        if faults:
            raise PhoneError(f"the phones went wrong: {faults}")

    def hang_up(self, timeout_s: float = 2) -> None:
        """End every call, and wait a moment until the PBX knows."""
        for call in self.calls:
            call.hang_up()
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and not self.loop.call(lambda: all(call.quiet for call in self.calls)):
            time.sleep(0.01)

    def send(self, message: sip.Message) -> None:
        """Send a message to the PBX. Only from within the loop."""
        if self._open:
            with suppress(OSError):  # a PBX that is down: the phone tries again or waits
                self._socket.sendto(message.encode(), self.pbx)

    def script_for(self, _number: str) -> Script:
        """Say what to do with the call to this number that comes now."""
        return self.script

    def _close(self) -> None:
        if self._open:
            self._open = False
            self.loop.unwatch(self._socket.fileno())
            self._socket.close()

    def _keep(self, call: Call) -> None:
        with self._rung:
            self._by_id[call.id] = call
            self.calls.append(call)
            self._rung.notify_all()

    def _receive(self) -> None:
        with suppress(BlockingIOError, ConnectionError):
            while self._open:
                self._take(sip.Message.parse(self._socket.recv(65535)))

    def _take(self, message: sip.Message) -> None:
        call = self._by_id.get(message.get("call-id"))
        if message.status is not None:
            if call is not None:
                call.on_response(message)
        elif call is not None:
            call.on_request(message)
        elif message.method == "INVITE":
            self._ring(message)
        elif message.method != "ACK":
            status = 200 if message.method == "OPTIONS" else 481
            self.send(message.reply(status, tag=sip.token(), contact=f"<sip:{self.address[0]}:{self.address[1]}>"))

    def _ring(self, invite: sip.Message) -> None:
        script = self.script_for(invite.dialled)
        call = Call.receive(self, invite, dead=not script.replies)
        self._keep(call)
        if script.rings:
            call.ring()
        if script.after_s is not None:
            self.loop.later(script.after_s, lambda: self._act(call, script))

    def _act(self, call: Call, script: Script) -> None:
        if call.state not in {"calling", "ringing"}:
            return
        if script.status != ANSWERED:
            call.refuse(script.status)
            return
        call.answer(script.sound)
        if script.talk_s is not None:
            self.loop.later(script.talk_s, call.hang_up)


class Carrier(Phone):
    """The outside world: it calls in from any number, and behind it every customer has a phone."""

    def __init__(self, address: sip.Address, pbx: sip.Address, *, hz: int = CUSTOMER_HZ) -> None:
        super().__init__(address, pbx, hz=hz)
        self._scripts: dict[str, list[Script]] = {}

    def behave(self, number: str, *scripts: Script) -> None:
        """Let the customer at `number`, as the PBX dials it, follow one script a call, then the last for good.

        A number that was told nothing follows `script`: it answers.
        """
        self._scripts[number] = list(scripts)

    def script_for(self, number: str) -> Script:
        """Say what to do with the call to this number that comes now."""
        scripts = self._scripts.get(number)
        if not scripts:
            return self.script
        return scripts.pop(0) if len(scripts) > 1 else scripts[0]

    def rings_of(self, number: str) -> list[Call]:
        """Every call that the PBX placed to `number`, in order."""
        return [call for call in self.rings if call.number == number]
