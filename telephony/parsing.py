"""AMI messages as typed events: only the kinds that something here acts on.

`read` is pure. It gives None for what nobody needs (cheaply: a PBX sends mostly VarSet), for what lacks its
identity and for forgeries; with `counts` it also says how many of each it refused. It never raises: a caller
may write into the stream, and must not be able to stop it.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from telephony import events as e
from telephony.ami import sieve
from telephony.ami.layouts import Layouts
from telephony.ami.protocol import LINE_END, Message
from telephony.ids import SECOND

FORGED: Final = "forged"
"""Not as Asterisk writes it (`ami.sieve`), a header twice, a line that is none: somebody wrote into the stream."""
MALFORMED: Final = "malformed"
"""The channel, queue or member that the event is about has no name, or one too long."""

_EVENT: Final = b"Event: "
_VARIABLE: Final = b"\r\nVariable: "
_VARIABLES: Final = (b"QUEUESTATUS\r\n", b"RTPAUDIOQOS\r\n")
_APPLICATION: Final = b"\r\nApplication: "
_STEPS: Final = (b"Queue\r\n", b"Hangup\r\n", b"Congestion\r\n", b"Busy\r\n", b"ConfBridge\r\n")
_FIRST_STEP: Final = b"\r\nPriority: 1\r\n"
_NEWS: Final = tuple(b"\r\nUserEvent: " + name + b"\r\n" for name in (b"LcrRequested", b"LcrClosed", b"LcrReason"))
_OF_A_CHANNEL: Final = b"\r\nUniqueid: "
_STATE_OF: Final = b"\r\nChannelState: "
_RING: Final = b"4\r\n"
_MAY_REPEAT: Final = re.compile(r"\w*ChanVariable(\(.*)?", re.DOTALL)
"""manager.conf's `channelvars` come as one such header for each, behind a prefix like Dest; some versions name the
channel in it, `ChanVariable(PJSIP/trunk-00000001)`."""
_OWNER: Final = ("Uniqueid", "Linkedid", "Channel")
_ID_LENGTH: Final = 150
_STAMP: Final = "Timestamp"
_DIGITS: Final = 10  # of an epoch; whatever is longer is no number of seconds, cause or flags
_MICROS: Final = 6
_CYCLE: Final = 1 << 16  # of RTP's sequence numbers

Headers = Mapping[str, str]
Look = Callable[[bytes], bool]
Make = Callable[[Headers, int], e.Event | None]
Field = tuple[str, Callable[[str], Any]]


class Reader(NamedTuple):
    """Makes an event of these headers, of which some may be absent; it sees no others."""

    make: Make
    keys: frozenset[str]


def wanted(raw: bytes) -> bool:
    """Tell from its bytes whether `read` reads this event. Most are not read: this check is their whole cost."""
    look = LOOKS.get(raw[7 : raw.find(LINE_END)])
    return look is not None and look(raw)


def read(message: Message, arrived_at: int, counts: Counter[str] | None = None) -> e.Event | None:
    """Give a message as a typed event, or None."""
    raw = message.raw
    if not (raw.startswith(_EVENT) and wanted(raw)):
        return None
    kind = raw[7 : raw.find(LINE_END)]
    headers = _LAYOUTS.read(kind, raw) or _sound(kind, message)
    why = FORGED
    if headers is not None:
        try:
            return _READERS[kind].make(headers, _instant(headers.get(_STAMP, ""), arrived_at))
        except LookupError:
            why = MALFORMED
    sieve.refuse(counts, why, raw)
    return None


def _sound(kind: bytes, message: Message) -> Headers | None:
    """Give the headers of a message as Asterisk writes it; None for a forgery."""
    headers = message.fields() or _repeating(message.headers)
    if headers is None or not sieve.whole(message.raw):
        return None
    if kind not in sieve.TOLD_BY_VALUES:
        _LAYOUTS.learn(kind, message.raw)
    return {key: headers[key] for key in _READERS[kind].keys & headers.keys()}


def always(_raw: bytes) -> bool:
    """Accept every event of a kind."""
    return True


def _variable_needed(raw: bytes) -> bool:
    """Tell whether the variable is one that we read."""
    return raw.startswith(_VARIABLES, raw.rfind(_VARIABLE) + len(_VARIABLE))


def _step_needed(raw: bytes) -> bool:
    """Tell whether a step of the dialplan is one that we read, or the first of an extension."""
    return raw.startswith(_STEPS, raw.rfind(_APPLICATION) + len(_APPLICATION)) or _FIRST_STEP in raw


def _is_called_on(raw: bytes) -> bool:
    """Tell whether the new state of a channel is 4 (ring): an incoming call."""
    return raw.startswith(_RING, raw.find(_STATE_OF) + len(_STATE_OF))


def _with_channel(raw: bytes) -> bool:
    """Tell whether it is about a channel: AgentComplete, and a stream's last report, may come when that is gone."""
    return _OF_A_CHANNEL in raw


def _for_us(raw: bytes) -> bool:
    return any(news in raw + LINE_END for news in _NEWS)


def _repeating(lines: list[tuple[str, str]]) -> Headers | None:
    """Give the headers of which some are repeated, where only such are that may be; None for a forgery."""
    single = [key for key, _ in lines if _MAY_REPEAT.fullmatch(key) is None]
    return None if "" in single or len(set(single)) != len(single) else dict(lines)


def _instant(timestamp: str, arrived_at: int) -> int:
    """Give the µs of `seconds.fraction`; the arrival where that is absent or no time of this era."""
    whole, _, fraction = timestamp.partition(".")
    if len(whole) == _DIGITS and len(fraction) == _MICROS and timestamp.isascii() and (whole + fraction).isdigit():
        return int(whole + fraction) or arrived_at
    seconds = _count(whole)
    if not seconds:
        return arrived_at
    part = fraction[:_MICROS].ljust(_MICROS, "0")
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


def _name(text: str) -> str:
    return text if len(text) <= _ID_LENGTH else ""


def _owner(headers: Headers) -> tuple[str, str, str]:
    return _identity(headers, "Uniqueid"), _identity(headers, "Linkedid"), _identity(headers, "Channel")


def _reader(make: Make, *keys: str) -> Reader:
    return Reader(make, frozenset((_STAMP, *keys)))


def _on_channel(kind: type[e.ChannelEvent], *fields: Field, prefix: str = "") -> Reader:
    """Read an event about a channel, whose identity stands behind `prefix`."""
    identity = [prefix + key for key in _OWNER]

    def make(headers: Headers, at: int) -> e.Event:
        owner = [_identity(headers, key) for key in identity]
        return kind(at, *owner, *[convert(headers.get(key, "")) for key, convert in fields])

    return _reader(make, *identity, *(key for key, _ in fields))


def _in_queue(kind: type[e.QueueEvent], *fields: Field) -> Reader:
    """Read an event about a caller in a queue. Listings give no Linkedid: the channel's id stands for it."""

    def make(headers: Headers, at: int) -> e.Event:
        owner = _identity(headers, "Uniqueid")
        linkedid = headers.get("Linkedid") or owner
        place = (linkedid, _identity(headers, "Channel"), _identity(headers, "Queue"))
        return kind(at, owner, *place, *[convert(headers.get(key, "")) for key, convert in fields])

    return _reader(make, *_OWNER, "Queue", *(key for key, _ in fields))


def _member(headers: Headers, at: int, *, gone: bool = False) -> e.Event:
    """Read a member from a listing (`Location`, `Name`) or from an event about it (`Interface`, `MemberName`)."""
    interface = _identity(headers, "Interface" if "Interface" in headers else "Location")
    return e.QueueMember(
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


def _member_gone(headers: Headers, at: int) -> e.Event:
    return _member(headers, at, gone=True)


_SEAT: Final = ("Queue", "Interface", "Location", "MemberName", "Name", "StateInterface")
_MEMBERS_STATE: Final = ("Status", "Paused", "InCall", "LastCall", "Wrapuptime")
_news_of_member: Final = _reader(_member, *_SEAT, *_MEMBERS_STATE)

_LEG: Final = ("DestUniqueid", _plain)
_WHO: Final = (("MemberName", _plain), ("Interface", _plain))
_HOLD: Final = ("HoldTime", _whole)
_TALK: Final = ("TalkTime", _whole)
_NUMBER: Final = ("CallerIDNum", _plain)
_BRIDGE: Final = (("BridgeType", _plain), ("BridgeUniqueid", _plain), ("BridgeTechnology", _plain))
_STATE: Final = ("ChannelState", _whole)

_shown: Final = _on_channel(
    e.CoreShowChannel, _NUMBER, ("Application", _plain), ("ApplicationData", _plain), ("BridgeId", _plain)
)
_enters_queue: Final = _on_channel(e.Newexten, ("AppData", _plain))
_goes_on: Final = _on_channel(
    e.DialplanStep, ("Application", _plain), ("AppData", _plain), ("Extension", _plain), _STATE
)
_queue_status: Final = _on_channel(e.QueueStatus, ("Value", _plain))


def _step(headers: Headers, at: int) -> e.Event | None:
    return (_enters_queue if headers.get("Application") == "Queue" else _goes_on).make(headers, at)


def _variable(headers: Headers, at: int) -> e.Event | None:
    """Read the two variables that tell something: how a queue ended, and what a channel's voice came to."""
    if headers.get("Variable") == "QUEUESTATUS":
        return _queue_status.make(headers, at)
    said = dict(part.partition("=")[::2] for part in headers.get("Value", "").split(";"))
    received = _whole(said.get("rxcount", ""))
    return None if received is None else e.RtpTotal(at, *_owner(headers), received)


_REPORTED: Final = ("Report0HighestSequence", "Report0SequenceNumberCycles", "ReportCount", "SentNTP")


def _report(headers: Headers, at: int) -> e.Event | None:
    """Read a report of ours to the far end: what we had received from it by then."""
    highest = _count(headers.get("Report0HighestSequence", ""))
    highest += _CYCLE * _count(headers.get("Report0SequenceNumberCycles", ""))
    received = _count(headers.get("ReportCount", "")) > 0
    return e.RTCPSent(at, *_owner(headers), highest if received else None, _instant(headers.get("SentNTP", ""), 0))


def _news(headers: Headers, at: int) -> e.Event | None:
    """Read a UserEvent of the dialplan that we ship."""
    return _KNOWN_NEWS[headers["UserEvent"]].make(headers, at)


_KNOWN_NEWS: Final[dict[str, Reader]] = {
    "LcrRequested": _on_channel(e.LcrRequested, ("Queue", _name)),
    "LcrClosed": _on_channel(e.LcrClosed, ("Queue", _name)),
    "LcrReason": _on_channel(e.LcrReason, ("Reason", _name)),
}

_READERS: Final[dict[bytes, Reader]] = {
    b"Newchannel": _on_channel(e.Newchannel, _NUMBER, ("Exten", _plain), _STATE),
    b"Newstate": _on_channel(e.Newstate),
    b"NewCallerid": _on_channel(e.NewCallerid, _NUMBER),
    b"Newexten": _reader(_step, *_goes_on.keys),
    b"VarSet": _reader(_variable, *_OWNER, "Variable", "Value"),
    b"DialBegin": _on_channel(e.DialBegin, ("DialString", _plain), prefix="Dest"),
    b"QueueCallerJoin": _in_queue(e.QueueCallerJoin, _NUMBER),
    b"QueueEntry": _in_queue(e.QueueEntry, _NUMBER, ("Wait", _whole)),
    b"QueueCallerLeave": _in_queue(e.QueueCallerLeave, _NUMBER),
    b"QueueCallerAbandon": _in_queue(e.QueueCallerAbandon, _HOLD, _NUMBER),
    b"AgentCalled": _in_queue(e.AgentCalled, _LEG, ("Interface", _plain)),
    b"AgentRingNoAnswer": _in_queue(e.AgentRingNoAnswer, _LEG),
    b"AgentConnect": _in_queue(e.AgentConnect, _LEG, *_WHO, _HOLD),
    b"AgentComplete": _in_queue(e.AgentComplete, _LEG, *_WHO, _HOLD, _TALK, ("Reason", _plain)),
    b"HangupRequest": _on_channel(e.HangupRequest, ("Cause", _whole), _NUMBER, _STATE),
    b"SoftHangupRequest": _on_channel(e.SoftHangupRequest, ("Cause", _whole)),
    b"Hangup": _on_channel(e.Hangup, ("Cause", _whole), _NUMBER, _STATE),
    b"DTMFEnd": _on_channel(e.DTMFEnd, ("Digit", _plain), ("Direction", _plain)),
    b"BridgeEnter": _on_channel(e.BridgeEnter, *_BRIDGE),
    b"ConfbridgeJoin": _on_channel(e.ConfbridgeJoin, *_BRIDGE),
    b"ParkedCall": _on_channel(e.ParkedCall, prefix="Parkee"),
    b"UnParkedCall": _on_channel(e.UnParkedCall, prefix="Parkee"),
    b"ParkedCallGiveUp": _on_channel(e.ParkedCallGiveUp, prefix="Parkee"),
    b"ParkedCallTimeOut": _on_channel(e.ParkedCallTimeOut, prefix="Parkee"),
    b"Hold": _on_channel(e.Hold),
    b"Unhold": _on_channel(e.Unhold),
    b"ChannelTalkingStart": _on_channel(e.ChannelTalkingStart),
    b"ChannelTalkingStop": _on_channel(e.ChannelTalkingStop),
    b"RTCPSent": _reader(_report, *_OWNER, *_REPORTED),
    b"RTCPReceived": _on_channel(e.RTCPReceived),
    b"UserEvent": _reader(_news, *_OWNER, "UserEvent", "Queue", "Reason"),
    b"CoreShowChannel": _shown,
    b"QueueMember": _news_of_member,
    b"QueueMemberStatus": _news_of_member,
    b"QueueMemberAdded": _news_of_member,
    b"QueueMemberPause": _news_of_member,
    b"QueueMemberPenalty": _news_of_member,
    b"QueueMemberRinginuse": _news_of_member,
    b"QueueMemberRemoved": _reader(_member_gone, *_SEAT, *_MEMBERS_STATE),
}
LOOKS: Final[dict[bytes, Look]] = {
    **dict.fromkeys(_READERS, always),
    b"Newstate": _is_called_on,
    b"VarSet": _variable_needed,
    b"Newexten": _step_needed,
    b"AgentComplete": _with_channel,
    b"RTCPSent": _with_channel,
    b"RTCPReceived": _with_channel,
    b"UserEvent": _for_us,
}
"""Looks at its bytes that tell cheaply whether a message of that kind is worth reading."""
_LAYOUTS: Final = Layouts({kind: reader.keys for kind, reader in _READERS.items()})
