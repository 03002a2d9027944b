"""AMI messages as typed events: only the kinds that something here acts on, under Asterisk's own names.

`read` is pure. It gives None for what nobody needs (cheaply: a PBX sends mostly VarSet), for what lacks its
identity and for forgeries; with `counts` it also says how many of each it refused. It never raises: a caller
may write into the stream, and must not be able to stop it.

Instants (`at`) are µs UTC: the message's Timestamp (the PBX's clock), else its arrival (Asterisk 16 sends
none unless asked to). Seconds stay as app_queue counts them, whole; None where a header is absent.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from telephony.ami.protocol import Message
from telephony.ids import SECOND

FORGED: Final = "forged"
"""A header that is single by nature occurred twice, or a line was none: somebody wrote into the stream."""
MALFORMED: Final = "malformed"
"""The event lacks the channel, queue or member that it is about: what forged messages are cut from."""

_VARSET: Final = b"Event: VarSet\r\n"
_QUEUE_STATUS: Final = b"\r\nVariable: QUEUESTATUS\r\n"
_NEWEXTEN: Final = b"Event: Newexten\r\n"
_QUEUE_STEP: Final = b"\r\nApplication: Queue\r\n"
_MAY_REPEAT: Final = "ChanVariable"
"""manager.conf's `channelvars` come as one such header for each, behind a prefix like Dest."""
_ID_LENGTH: Final = 150
_DIGITS: Final = 10  # of an epoch; whatever is longer is no number of seconds, cause or flags


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened on the PBX at this instant."""

    at: int


@dataclass(frozen=True, slots=True)
class ChannelEvent(Event):
    """It happened to this channel, which at that time belonged to the call `linkedid`."""

    uniqueid: str
    linkedid: str
    channel: str


@dataclass(frozen=True, slots=True)
class Newchannel(ChannelEvent):
    """A channel came to be. `number` is the caller's as signalled, `exten` what was dialled."""

    number: str
    exten: str


@dataclass(frozen=True, slots=True)
class NewCallerid(ChannelEvent):
    """The dialplan, or the other end, set the channel's number."""

    number: str


@dataclass(frozen=True, slots=True)
class Newexten(ChannelEvent):
    """The dialplan runs Queue on the channel. After a transfer or a key, `data` still names the old queue."""

    data: str


@dataclass(frozen=True, slots=True)
class QueueStatus(ChannelEvent):
    """Queue gave the caller back to the dialplan, unserved: TIMEOUT, FULL, JOINEMPTY and so on."""

    value: str


@dataclass(frozen=True, slots=True)
class DialBegin(ChannelEvent):
    """This channel began to ring because somebody dialled `dial_string`."""

    dial_string: str


@dataclass(frozen=True, slots=True)
class QueueEvent(ChannelEvent):
    """Something happened to the caller on this channel in `queue`."""

    queue: str


@dataclass(frozen=True, slots=True)
class QueueCallerJoin(QueueEvent):
    """The caller began to wait."""

    number: str


@dataclass(frozen=True, slots=True)
class QueueEntry(QueueEvent):
    """A listing's line: this caller waits at present, and has for `wait_s`."""

    number: str
    wait_s: int | None


@dataclass(frozen=True, slots=True)
class QueueCallerLeave(QueueEvent):
    """The caller no longer waits. Sent before AgentConnect too: no loss by itself."""


@dataclass(frozen=True, slots=True)
class QueueCallerAbandon(QueueEvent):
    """The caller left unserved: by himself, or thrown out."""

    hold_s: int | None


@dataclass(frozen=True, slots=True)
class AgentCalled(QueueEvent):
    """An agent's phone (channel `leg`) is rung for the caller."""

    leg: str


@dataclass(frozen=True, slots=True)
class AgentRingNoAnswer(QueueEvent):
    """The agent's phone stopped ringing, unanswered."""

    leg: str


@dataclass(frozen=True, slots=True)
class AgentConnect(QueueEvent):
    """An agent answered the caller, on channel `leg` (a Local channel for such members)."""

    leg: str
    agent: str
    interface: str
    hold_s: int | None


@dataclass(frozen=True, slots=True)
class AgentComplete(QueueEvent):
    """The talk is over. `reason` is caller, agent or transfer; several of its fields may be missing."""

    leg: str
    agent: str
    interface: str
    hold_s: int | None
    talk_s: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class HangupRequest(ChannelEvent):
    """The far end of this channel hung up, or refused."""

    cause: int | None


@dataclass(frozen=True, slots=True)
class SoftHangupRequest(ChannelEvent):
    """Asterisk ends the channel; `flags` is a word of AST_SOFTHANGUP bits and no Q.850 cause."""

    flags: int | None


@dataclass(frozen=True, slots=True)
class Hangup(ChannelEvent):
    """The channel is gone. `cause` is Q.850; on 22 a plain hang-up in the queue says 0."""

    cause: int | None


@dataclass(frozen=True, slots=True)
class DTMFEnd(ChannelEvent):
    """A key was pressed at the far end of this channel, or sent to it."""

    digit: str
    direction: str


@dataclass(frozen=True, slots=True)
class BridgeEnter(ChannelEvent):
    """The channel was joined with another one; `bridge_type` is basic for two who talk."""

    bridge_type: str


@dataclass(frozen=True, slots=True)
class CoreShowChannel(ChannelEvent):
    """A listing's line: this channel is alive."""

    number: str
    application: str
    data: str


@dataclass(frozen=True, slots=True)
class QueueMember(Event):
    """The state of an agent in one queue: a listing's line, or news of it. `gone`: he was taken out."""

    queue: str
    interface: str
    name: str
    state_interface: str
    status: int | None
    paused: bool
    in_call: bool
    last_call_s: int
    wrapup_s: int
    gone: bool


@dataclass(frozen=True, slots=True)
class Confirmed(ChannelEvent):
    """We asked, and the PBX says that this channel lives and signals this number."""

    number: str


@dataclass(frozen=True, slots=True)
class Denied(ChannelEvent):
    """We asked, and the PBX knows no such channel: it was never there, or is gone."""


@dataclass(frozen=True, slots=True)
class Detecting(ChannelEvent):
    """We asked, and from now on the PBX tells when somebody talks on this channel."""


Headers = Mapping[str, str]
Reader = Callable[[Headers, int], Event]
Field = tuple[str, Callable[[str], Any]]


def read(message: Message, arrived_at: int, counts: Counter[str] | None = None) -> Event | None:
    """Give the event that a message tells of, or None."""
    raw = message.raw
    if raw.startswith(_VARSET):
        if _QUEUE_STATUS not in raw:
            return None
    elif raw.startswith(_NEWEXTEN) and _QUEUE_STEP not in raw:
        return None
    reader = _READERS.get(message.name)
    if reader is None:
        return None
    lines = message.headers
    headers = dict(lines)
    why = FORGED
    if "" not in headers and (len(headers) == len(lines) or not _forged(lines)):
        try:
            return reader(headers, _instant(headers.get("Timestamp", ""), arrived_at))
        except LookupError:
            why = MALFORMED
    if counts is not None:
        counts[why] += 1
    return None


def _forged(lines: list[tuple[str, str]]) -> bool:
    single = [key for key, _ in lines if not key.endswith(_MAY_REPEAT)]
    return len(set(single)) != len(single)


def _instant(timestamp: str, arrived_at: int) -> int:
    """Give the µs of `seconds.fraction`; the arrival where that is absent or no time of this era."""
    whole, _, fraction = timestamp.partition(".")
    seconds = _count(whole)
    if not seconds:
        return arrived_at
    part = fraction[:6].ljust(6, "0")
    return seconds * SECOND + (int(part) if part.isascii() and part.isdigit() else 0)


def _identity(headers: Headers, key: str) -> str:
    """Give a header that the event cannot do without; LookupError where it is absent or cannot be one."""
    value = headers[key]
    if not 0 < len(value) <= _ID_LENGTH:
        raise LookupError(key)
    return value


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def _count(text: str) -> int:
    return _whole(text) or 0


def _plain(text: str) -> str:
    return text


def _on_channel(kind: type[ChannelEvent], *fields: Field, prefix: str = "") -> Reader:
    """Read an event about a channel, whose identity stands behind `prefix`."""
    identity = [prefix + key for key in ("Uniqueid", "Linkedid", "Channel")]

    def reader(headers: Headers, at: int) -> Event:
        owner = [_identity(headers, key) for key in identity]
        return kind(at, *owner, *[convert(headers.get(key, "")) for key, convert in fields])

    return reader


def _in_queue(kind: type[QueueEvent], *fields: Field) -> Reader:
    """Read an event about a caller in a queue. Listings give no Linkedid: the channel's id stands for it."""

    def reader(headers: Headers, at: int) -> Event:
        owner = _identity(headers, "Uniqueid")
        linkedid = headers.get("Linkedid") or owner
        place = (linkedid, _identity(headers, "Channel"), _identity(headers, "Queue"))
        return kind(at, owner, *place, *[convert(headers.get(key, "")) for key, convert in fields])

    return reader


def _member(headers: Headers, at: int, *, gone: bool = False) -> Event:
    """Read a member from a listing (`Location`, `Name`) or from news of him (`Interface`, `MemberName`)."""
    interface = _identity(headers, "Interface" if "Interface" in headers else "Location")
    return QueueMember(
        at,
        _identity(headers, "Queue"),
        interface,
        headers.get("MemberName") or headers.get("Name") or interface,
        headers.get("StateInterface") or interface,
        _whole(headers.get("Status", "")),
        headers.get("Paused") == "1",
        headers.get("InCall") == "1",
        _count(headers.get("LastCall", "")),
        _count(headers.get("Wrapuptime", "")),
        gone,
    )


def _member_gone(headers: Headers, at: int) -> Event:
    return _member(headers, at, gone=True)


_LEG: Final = ("DestUniqueid", _plain)
_WHO: Final = (("MemberName", _plain), ("Interface", _plain))
_HOLD: Final = ("HoldTime", _whole)
_TALK: Final = ("TalkTime", _whole)
_NUMBER: Final = ("CallerIDNum", _plain)

_READERS: Final[dict[str, Reader]] = {
    "Newchannel": _on_channel(Newchannel, _NUMBER, ("Exten", _plain)),
    "NewCallerid": _on_channel(NewCallerid, _NUMBER),
    "Newexten": _on_channel(Newexten, ("AppData", _plain)),
    "VarSet": _on_channel(QueueStatus, ("Value", _plain)),
    "DialBegin": _on_channel(DialBegin, ("DialString", _plain), prefix="Dest"),
    "QueueCallerJoin": _in_queue(QueueCallerJoin, _NUMBER),
    "QueueEntry": _in_queue(QueueEntry, _NUMBER, ("Wait", _whole)),
    "QueueCallerLeave": _in_queue(QueueCallerLeave),
    "QueueCallerAbandon": _in_queue(QueueCallerAbandon, _HOLD),
    "AgentCalled": _in_queue(AgentCalled, _LEG),
    "AgentRingNoAnswer": _in_queue(AgentRingNoAnswer, _LEG),
    "AgentConnect": _in_queue(AgentConnect, _LEG, *_WHO, _HOLD),
    "AgentComplete": _in_queue(AgentComplete, _LEG, *_WHO, _HOLD, _TALK, ("Reason", _plain)),
    "HangupRequest": _on_channel(HangupRequest, ("Cause", _whole)),
    "SoftHangupRequest": _on_channel(SoftHangupRequest, ("Cause", _whole)),
    "Hangup": _on_channel(Hangup, ("Cause", _whole)),
    "DTMFEnd": _on_channel(DTMFEnd, ("Digit", _plain), ("Direction", _plain)),
    "BridgeEnter": _on_channel(BridgeEnter, ("BridgeType", _plain)),
    "CoreShowChannel": _on_channel(CoreShowChannel, _NUMBER, ("Application", _plain), ("ApplicationData", _plain)),
    "QueueMember": _member,
    "QueueMemberStatus": _member,
    "QueueMemberAdded": _member,
    "QueueMemberPause": _member,
    "QueueMemberPenalty": _member,
    "QueueMemberRinginuse": _member,
    "QueueMemberRemoved": _member_gone,
}
