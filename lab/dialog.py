"""The SIP of one call: its two ends, what to write, what to send again (RFC 3261, clauses 12 and 17)."""

from typing import TYPE_CHECKING, Protocol

from lab import sip
from lab.loop import Loop
from lab.sip import Message

if TYPE_CHECKING:
    from collections.abc import Callable

_AGAIN_AFTER_S = (0.5, 1.0, 2.0, 4.0)  # timers A, E and G without their long tail
_ACK = "ACK"


class Wire(Protocol):
    """What a call needs of its phone."""

    loop: Loop
    hz: int

    @property
    def address(self) -> sip.Address:
        """Where the phone receives SIP."""

    @property
    def pbx(self) -> sip.Address:
        """Where the PBX receives SIP."""

    def send(self, message: Message) -> None:
        """Send a message to the PBX."""


class Dialog:
    """Both ends of one call, and what was said last. All of it only from within the phones' loop.

    With `dead` set it says nothing any more.
    """

    def __init__(self, wire: Wire, invite: Message, *, placed: bool) -> None:
        self.dead = False
        self.invite = invite
        self.call_id = invite.get("call-id")
        self._wire = wire
        self._tag = sip.token()
        self._cseq = 1
        self._last_reply: Message | None = None
        self._unanswered: dict[str, Callable[[], None]] = {}
        self._contact = invite.get("contact")
        self._local, self._remote = invite.get("from"), invite.get("to")
        self._target = invite.start.split()[1]
        if not placed:
            host, port = wire.address
            self._target = sip.uri(self._contact)
            self._contact = f"<sip:{invite.dialled}@{host}:{port}>"
            self._local, self._remote = f"{invite.get('to')};tag={self._tag}", invite.get("from")

    @property
    def quiet(self) -> bool:
        """Whether nothing that was sent still waits for an answer."""
        return not self._unanswered

    @property
    def acknowledged(self) -> bool:
        """Whether the PBX knows that we answered: only then may we say BYE (RFC 3261, clause 15)."""
        return _ACK not in self._unanswered

    # Asking.

    def ask(self, method: str, *, reason: str = "", refer_to: str = "", body: bytes = b"") -> None:
        """Send a request of its own within the dialog, until it is answered."""
        self._cseq += 1
        headers = (("reason", reason), ("refer-to", refer_to), ("content-type", "application/sdp" if body else ""))
        self._send_until_answered(self._request(method, self._cseq, *headers, body=body))

    def replacement(self) -> str:
        """Name this dialog as a header Replaces does to whom we talk with (RFC 3891): their tag comes first."""
        return f"{self.call_id};to-tag={sip.tag(self._remote)};from-tag={sip.tag(self._local)}"

    def send_invite(self) -> None:
        """Send the INVITE, until the PBX says something."""
        self._send_until_answered(self.invite)

    def cancel(self, reason: str) -> None:
        """Take the INVITE back, until that is answered."""
        via = self.invite.get("via")
        to = self.invite.get("to")
        self._send_until_answered(self._request("CANCEL", 1, ("reason", reason), via=via, to=to))

    def accept(self, response: Message) -> None:
        """Take a 2xx to the INVITE: from now on the dialog is with who sent it. Acknowledge it."""
        self._remote = response.get("to")
        self._target = sip.uri(response.get("contact")) or self._target
        self._say(self._request(_ACK, int(response.get("cseq").split()[0])))

    def accept_refusal(self, response: Message) -> None:
        """Acknowledge a refusal of the INVITE, as part of the INVITE's own transaction."""
        self._say(self._request(_ACK, 1, via=self.invite.get("via"), to=response.get("to")))

    def answered(self, key: str) -> None:
        """Stop sending what `key` answers: the CSeq of a request, or "ACK" for our own 200."""
        stop = self._unanswered.pop(key, None)
        if stop is not None:
            stop()

    def fall_silent(self) -> None:
        """Say nothing any more."""
        self.dead = True
        for key in list(self._unanswered):
            self.answered(key)

    # Answering.

    def reply(self, status: int, body: bytes = b"", *, until_ack: bool = False) -> None:
        """Answer the INVITE."""
        self._last_reply = self.invite.reply(status, tag=self._tag, contact=self._contact, body=body)
        self._say(self._last_reply)
        if until_ack:
            self._repeat(_ACK, self._last_reply)

    def reply_to(self, request: Message, body: bytes = b"") -> None:
        """Say yes to another request."""
        self._say(request.reply(200, tag=self._tag, contact=self._contact, body=body))

    def is_retransmission(self, invite: Message) -> bool:
        """Whether this INVITE was heard before; then it gets the same answer again."""
        if invite.get("cseq") != self.invite.get("cseq"):
            return False
        if self._last_reply is not None:
            self._say(self._last_reply)
        return True

    def _request(
        self, method: str, cseq: int, *besides: tuple[str, str], via: str = "", to: str = "", body: bytes = b""
    ) -> Message:
        headers = [
            ("via", via or new_via(self._wire.address)),
            ("max-forwards", "70"),
            ("from", self._local),
            ("to", to or self._remote),
            ("call-id", self.call_id),
            ("cseq", f"{cseq} {method}"),
            ("contact", self._contact),
        ]
        headers += [(name, value) for name, value in besides if value]
        return Message(f"{method} {self._target} SIP/2.0", tuple(headers), body)

    def _say(self, message: Message) -> None:
        if not self.dead:
            self._wire.send(message)

    def _send_until_answered(self, request: Message) -> None:
        self._say(request)
        self._repeat(request.get("cseq"), request)

    def _repeat(self, key: str, message: Message, times: int = 0) -> None:
        """Send again until answered: UDP may lose it where the machine is busy."""
        self._unanswered.pop(key, None)
        if self.dead or times == len(_AGAIN_AFTER_S):
            return

        def again() -> None:
            self._say(message)
            self._repeat(key, message, times + 1)

        self._unanswered[key] = self._wire.loop.later(_AGAIN_AFTER_S[times], again).cancel


def new_via(address: sip.Address) -> str:
    """Write the Via of a new transaction."""
    return f"SIP/2.0/UDP {address[0]}:{address[1]};branch=z9hG4bK{sip.token()};rport"


def new_invite(wire: Wire, *, number: str, caller_id: str, caller_name: str, body: bytes) -> Message:
    """Write the INVITE of a call to `number` at the PBX."""
    (host, port), (pbx_host, pbx_port) = wire.address, wire.pbx
    target = f"sip:{number}@{pbx_host}:{pbx_port}"
    shown = f'"{caller_name}" ' if caller_name else ""
    headers = (
        ("via", new_via(wire.address)),
        ("max-forwards", "70"),
        ("from", f"{shown}<sip:{caller_id}@{host}>;tag={sip.token()}"),
        ("to", f"<{target}>"),
        ("call-id", f"{sip.token()}@{host}"),
        ("cseq", "1 INVITE"),
        ("contact", f"<sip:{caller_id}@{host}:{port}>"),
        ("content-type", "application/sdp"),
    )
    return Message(f"INVITE {target} SIP/2.0", headers, body)
