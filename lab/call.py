"""One telephone call as a phone of the lab sees it: it can be waited for, acted on, and judged afterwards.

All instants are wall-clock microseconds UTC. Everything happens in the phones' loop; any thread may ask.
"""

import threading
import time
import urllib.parse
from collections.abc import Callable
from typing import Literal, Self

from lab import sip
from lab.dialog import Dialog, Wire, new_invite
from lab.errors import PhoneError
from lab.rtp import RATE, Sound, Stream, contains
from lab.sip import Message

State = Literal["calling", "ringing", "answered", "ended"]

_TRYING, _RINGING, _OK, _REFUSED = 100, 180, 200, 300


def _now() -> int:
    return time.time_ns() // 1000


class Call:
    """What happened in one call, and what can be done about it.

    `number` is who was dialled: the DID when this phone called, the customer or agent when it was called.
    `at` is the instant of the INVITE. `ended_by` is "us" or "pbx"; `code` is the final SIP status; `reason`
    the header Reason with which the PBX ended it. Made by `place` or `receive`, within the loop.
    """

    def __init__(self, wire: Wire, *, number: str, caller_id: str, caller_name: str, placed: bool) -> None:
        self.number = number
        self.caller_id = caller_id
        self.caller_name = caller_name
        self.placed = placed
        self.state: State = "calling"
        self.at = _now()
        self.rang_at: int | None = None
        self.answered_at: int | None = None
        self.ended_at: int | None = None
        self.ended_by: Literal["us", "pbx"] | None = None
        self.code: int | None = None
        self.reason = ""
        self._wire = wire
        self._loop = wire.loop
        self._changed = threading.Condition()
        self._stream = Stream(wire.loop, wire.address[0], wire.hz)
        self._sound: Sound = "tone"
        self._described = 1  # session descriptions that were sent
        self._heard_of = False  # the PBX said something: only then may we take the INVITE back
        self._parting: str | None = None  # reason of a CANCEL or BYE that must wait for the PBX's word
        self._dialog: Dialog

    @classmethod
    def place(cls, wire: Wire, number: str, *, caller: str, name: str, sound: Sound) -> Self:
        """Call `number` at the PBX."""
        call = cls(wire, number=number, caller_id=caller, caller_name=name, placed=True)
        call._sound = sound
        body = sip.describe(call._stream.address)
        invite = new_invite(wire, number=number, caller_id=caller, caller_name=name, body=body)
        call._dialog = Dialog(wire, invite, placed=True)
        call._dialog.send_invite()
        return call

    @classmethod
    def receive(cls, wire: Wire, invite: Message, *, dead: bool) -> Self:
        """Take the PBX's INVITE; a dead phone never says a word."""
        shown = invite.get("from")
        caller, name = sip.user(shown), sip.display_name(shown)
        call = cls(wire, number=invite.dialled, caller_id=caller, caller_name=name, placed=False)
        call._dialog = Dialog(wire, invite, placed=False)
        call._dialog.dead = dead
        call._dialog.reply(_TRYING)
        return call

    def __repr__(self) -> str:
        code = f" {self.code}" if self.code else ""
        by = f" by {self.ended_by}" if self.ended_by else ""
        return f"<call {self.caller_id} -> {self.number} {self.state}{code}{by}>"

    # What a test asks.

    @property
    def id(self) -> str:
        """Give the Call-ID."""
        return self._dialog.call_id

    @property
    def known(self) -> bool:
        """Whether the PBX said anything at all."""
        return self._heard_of or self.answered_at is not None or self.code is not None

    @property
    def replacement(self) -> str:
        """Give the name by which the PBX can put another call into the place of this one (RFC 3891)."""
        return self._dialog.replacement()

    @property
    def packets(self) -> int:
        """How many packets of voice came."""
        return self._stream.received.packets

    @property
    def heard_from(self) -> str | None:
        """Give the address that the last voice came from: the PBX's, or another phone's."""
        return self._stream.heard_from[0] if self._stream.heard_from else None

    @property
    def talked_s(self) -> float:
        """Seconds from the answer to the end, or until now."""
        if self.answered_at is None:
            return 0.0
        return ((self.ended_at or _now()) - self.answered_at) / 1e6

    @property
    def rang_until(self) -> int | None:
        """When the phone stopped ringing, by answer, refusal or the PBX's CANCEL. None while it rings."""
        return self.answered_at or self.ended_at

    def heard(self, hz: int, last_s: float = 10) -> bool:
        """Whether a tone of `hz` was heard for 100 ms on end in the last seconds (10 at most)."""
        return contains(self._loop.call(self._stream.received.sound)[-int(last_s * RATE) :], hz)

    def wait_ringing(self, timeout_s: float = 20) -> Self:
        """Wait until it rings; raises `PhoneError` if it does not in time."""
        return self._wait(lambda: self.rang_at is not None or self.answered_at is not None, "ring", timeout_s)

    def wait_answered(self, timeout_s: float = 20) -> Self:
        """Wait until it is answered; raises `PhoneError` if it is not in time."""
        return self._wait(lambda: self.answered_at is not None, "be answered", timeout_s)

    def wait_ended(self, timeout_s: float = 20) -> Self:
        """Wait until it is over; raises `PhoneError` if it is not in time."""
        return self._wait(lambda: self.state == "ended", "end", timeout_s)

    def wait_heard(self, hz: int, timeout_s: float = 15, *, last_s: float = 10) -> Self:
        """Wait until a tone of `hz` was heard in the last seconds; raises `PhoneError` if it is not in time."""
        deadline = time.monotonic() + timeout_s
        while not self.heard(hz, last_s):
            if time.monotonic() > deadline or self.state == "ended":
                raise PhoneError(f"{self} did not hear {hz} Hz within {timeout_s} s; {self.packets} packets came")
            with self._changed:
                self._changed.wait(0.1)
        return self

    def _wait(self, seen: Callable[[], bool], what: str, timeout_s: float) -> Self:
        with self._changed:
            self._changed.wait_for(lambda: seen() or self.state == "ended", timeout_s)
        if not seen():
            raise PhoneError(f"{self} did not {what} within {timeout_s} s")
        return self

    # What a person does.

    def answer(self, sound: Sound = "tone") -> None:
        """Pick up the phone that rings, and send `sound`; raises `PhoneError` where nothing rings."""
        self._loop.call(lambda: self._answer(sound))

    def refuse(self, status: int = 486) -> None:
        """Turn the call away with a SIP status."""
        self._loop.call(lambda: self._refuse(status))

    def hang_up(self, reason: str = "") -> None:
        """Put the phone down, in whatever state; `reason` becomes a Reason header (Q.850;cause=41)."""
        self._loop.call(lambda: self._hang_up(reason))

    def vanish(self) -> None:
        """Be dead from now on: no voice, no answer to anything."""
        self._loop.call(self._vanish)

    def press(self, digits: str) -> None:
        """Press keys."""
        self._loop.call(lambda: self._stream.press(digits))

    def make(self, sound: Sound) -> None:
        """Send something else from now on: the tone, silence, or nothing."""
        self._loop.call(lambda: self._make(sound))

    def hold(self) -> None:
        """Put the other side on hold: it hears the PBX's music, and nothing of us."""
        self._loop.call(lambda: self._describe_anew("sendonly", "none"))

    def resume(self) -> None:
        """Take the other side back, and send what was sent before."""
        self._loop.call(lambda: self._describe_anew("sendrecv", self._sound))

    def transfer(self, number: str) -> None:
        """Hand the other side on to `number`, without a word to whoever is there (REFER)."""
        self._loop.call(lambda: self._refer(number, ""))

    def transfer_to(self, consulted: "Call") -> None:
        """Join the other side with whom this phone talks in `consulted` (REFER with Replaces)."""
        replaces = urllib.parse.quote(consulted.replacement, safe="")
        self._loop.call(lambda: self._refer(consulted.number, f"?Replaces={replaces}"))

    def ring(self) -> None:
        """Let the phone ring."""
        self._loop.call(self._ring)

    @property
    def quiet(self) -> bool:
        """Whether it is over and the PBX knows. Only from within the loop."""
        return self.state == "ended" and self._dialog.quiet and self._parting is None

    # What the PBX says.

    def on_response(self, message: Message) -> None:
        """Take the PBX's answer to something this phone asked. Only from within the loop."""
        self._dialog.answered(message.get("cseq"))
        if self._dialog.dead or message.method != "INVITE" or message.status is None:
            return
        if message.status < _OK:
            self._progress(message)
        elif message.status < _REFUSED:
            self._accepted(message)
        elif self.state != "answered":  # else it refuses to be held, and that is all
            self._dialog.accept_refusal(message)
            self._end("pbx", code=message.status, reason=message.get("reason"))

    def _progress(self, message: Message) -> None:
        self._heard_of = True
        if self._parting is not None:
            self._cancel(self._parting)
        elif message.status != _TRYING and self.state != "ended":
            self._talk_to(message)
            if self.state == "calling":
                self.rang_at = _now()
                self._enter("ringing")

    def _accepted(self, message: Message) -> None:
        self._dialog.accept(message)
        if self.state == "ended":  # the answer crossed our CANCEL
            self._dialog.ask("BYE")
        elif self.state != "answered":
            self._answered(message)

    def on_request(self, message: Message) -> None:
        """Take something that the PBX asks within this call. Only from within the loop."""
        if self._dialog.dead:
            return
        if message.method == "INVITE":
            self._invited_again(message)
        elif message.method == "ACK":
            self._acknowledged()
        elif message.method == "CANCEL":
            self._cancelled(message)
        else:
            self._dialog.reply_to(message, sip.describe(self._stream.address) if sip.media(message.body) else b"")
            if message.method == "BYE":
                self._end("pbx", reason=message.get("reason"))
            elif message.method == "NOTIFY" and message.body.startswith(b"SIP/2.0 2"):  # what REFER asked for is done
                self._hang_up("")

    def _invited_again(self, message: Message) -> None:
        if self.state == "answered" and not self._dialog.is_retransmission(message):
            self._dialog.invite = message
            self._talk_to(message)
            self._dialog.reply(_OK, sip.describe(self._stream.address))

    def _cancelled(self, message: Message) -> None:
        self._dialog.reply_to(message)
        if self.state in {"calling", "ringing"}:
            self._dialog.reply(487)
            self._end("pbx", code=487, reason=message.get("reason"))

    # What follows, all within the loop.

    def _ring(self) -> None:
        if self.state == "calling" and not self._dialog.dead:
            self.rang_at = _now()
            self._dialog.reply(_RINGING)
            self._enter("ringing")

    def _answer(self, sound: Sound) -> None:
        if self.placed or self.state not in {"calling", "ringing"}:
            raise PhoneError(f"there is nothing to answer: {self}")
        self._sound = sound
        self._dialog.reply(_OK, sip.describe(self._stream.address), until_ack=True)
        self._answered(self._dialog.invite)

    def _refuse(self, status: int) -> None:
        if self.state in {"calling", "ringing"} and not self.placed:
            self._dialog.reply(status)
            self._end("us", code=status)

    def _hang_up(self, reason: str) -> None:
        if self.state == "answered" and self._dialog.acknowledged:
            self._dialog.ask("BYE", reason=reason)
        elif self.state == "answered":
            self._parting = reason
        elif self.state != "ended" and self.placed:
            self._parting = reason
            if self._heard_of:
                self._cancel(reason)
        elif self.state != "ended":
            self._dialog.dead = False  # else the PBX would ask on for half a minute, whoever has the phone then
            self._dialog.reply(486)
        self._end("us")

    def _cancel(self, reason: str) -> None:
        self._parting = None
        self._dialog.cancel(reason)

    def _acknowledged(self) -> None:
        self._dialog.answered("ACK")
        if self._parting is not None:
            self._dialog.ask("BYE", reason=self._parting)
            self._parting = None

    def _vanish(self) -> None:
        self._dialog.fall_silent()
        self._parting = None
        self._end("us")

    def _describe_anew(self, direction: str, sound: Sound) -> None:
        self._described += 1
        self._stream.sound = sound
        body = sip.describe(self._stream.address, direction=direction, version=self._described)
        self._dialog.ask("INVITE", body=body)

    def _refer(self, number: str, query: str) -> None:
        host, port = self._wire.pbx
        self._dialog.ask("REFER", refer_to=f"<sip:{number}@{host}:{port}{query}>")

    def _make(self, sound: Sound) -> None:
        self._sound = self._stream.sound = sound

    def _answered(self, message: Message) -> None:
        self.answered_at, self.code = _now(), _OK
        self._talk_to(message)
        self._enter("answered")

    def _talk_to(self, message: Message) -> None:
        self._stream.remote = sip.media(message.body) or self._stream.remote
        self._stream.sound = self._sound

    def _end(self, by: Literal["us", "pbx"], *, code: int | None = None, reason: str = "") -> None:
        if self.state != "ended":
            self.ended_at, self.ended_by, self.reason = _now(), by, reason
            self.code = code or self.code
            if by == "pbx":
                self._dialog.answered("ACK")
            self._stream.close()
            self._enter("ended")

    def _enter(self, state: State) -> None:
        with self._changed:
            self.state = state
            self._changed.notify_all()
