"""AMI messages as typed events: only the kinds that something here acts on.

`read` is pure. It gives None for what nobody needs (cheaply: a PBX sends mostly VarSet), for what lacks its
identity and for forgeries; with `counts` it also says how many of each it refused. It never raises: a caller
may write into the stream, and must not be able to stop it.
"""

import re
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

from telephony import events as e
from telephony.ami import sieve
from telephony.ami.layouts import ANY, Layouts
from telephony.ami.protocol import EVENT, LINE_END, Message
from telephony.ami.wanted import EACH, Look
from telephony.ids import SECOND

FORGED: Final = "forged"
"""Not as Asterisk writes it (`ami.sieve`), a header twice, a line that is none: somebody wrote into the stream."""
MALFORMED: Final = "malformed"
"""The channel, queue or member that the event is about has no name, or one too long."""

_NAME: Final = len(EVENT)  # where it begins
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
_IDENTITY: Final = f".{{1,{_ID_LENGTH}}}"
_STAMP: Final = "Timestamp"
_STAMP_FORM: Final = r"[0-9]{10}\.[0-9]{6}"
_DIGITS: Final = 10  # of an epoch; whatever is longer is no number of seconds, cause or flags
_MICROS: Final = 6
_CYCLE: Final = 1 << 16  # of RTP's sequence numbers

Make = Callable[..., e.Event | None]
"""Takes the instant, then the values of a reader's headers."""
Field = tuple[str, Callable[[str], Any]]


class Reader(NamedTuple):
    """Makes an event of the values of these headers, in this order; "" stands for one that is absent.

    Without those in `needed` it is no event.
    """

    make: Make
    keys: tuple[str, ...]
    needed: frozenset[str]

    @property
    def forms(self) -> dict[str, str]:
        """The headers in their order, the Timestamp first, with what a message in a known layout must show."""
        identities = {key: _IDENTITY if key in self.needed else ANY for key in self.keys}
        return {_STAMP: _STAMP_FORM} | identities


def read(message: Message, arrived_at: int, counts: Counter[str] | None = None) -> e.Event | None:
    """Give a message as a typed event, or None."""
    raw = message.raw
    kind = raw[_NAME : raw.find(LINE_END)]
    if kind not in LOOKS or not raw.startswith(EVENT):
        return None
    look = LOOKS[kind]
    if look is not EACH and not look(raw):
        return None
    try:
        found = _LAYOUTS.read(kind, raw)
        if found is not None:
            stamp, *values = found
            at = int(stamp.replace(".", "")) if stamp else 0
            return _READERS[kind].make(at or arrived_at, *values)
        return _line_by_line(kind, message, arrived_at)
    except ForgedError:
        sieve.refuse(counts, FORGED, raw)
    except LookupError:
        sieve.refuse(counts, MALFORMED, raw)
    return None


class ForgedError(Exception):
    """The message is not as Asterisk writes it."""


def _line_by_line(kind: bytes, message: Message, arrived_at: int) -> e.Event | None:
    """Read a message whose layout is not known yet. ForgedError if it is forged, LookupError if its identity lacks."""
    headers = message.fields() or _repeating(message.headers)
    if headers is None or not sieve.whole(message.raw):
        raise ForgedError
    reader = _READERS[kind]
    for key in reader.needed:
        _check_identity(headers[key])
    if sieve.told_by_order(message.raw):
        _LAYOUTS.learn(kind, message.raw)
    return reader.make(_instant(headers.get(_STAMP, ""), arrived_at), *[headers.get(key, "") for key in reader.keys])


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


def _repeating(lines: list[tuple[str, str]]) -> dict[str, str] | None:
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


def _check_identity(value: str) -> None:
    """Raise LookupError where a value that the event cannot do without is absent, or cannot be one."""
    if not 0 < len(value) <= _ID_LENGTH:
        raise LookupError(value)


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def _count(text: str) -> int:
    return _whole(text) or 0


def _plain(text: str) -> str:
    return text


def _name(text: str) -> str:
    return text if len(text) <= _ID_LENGTH else ""


def _made(kind: Callable[..., e.Event], fixed: int, fields: tuple[Field, ...]) -> Make:
    """Make an event of `fixed` values as they are, and of others that are converted."""
    converts = [(place, convert) for place, (_, convert) in enumerate(fields, fixed) if convert is not _plain]
    if not converts:
        return kind

    def make(at: int, *values: Any) -> e.Event:  # noqa: ANN401 - each field has a type of its own
        converted = [*values]
        for place, convert in converts:
            converted[place] = convert(values[place])
        return kind(at, *converted)

    return make


def _on_channel(kind: type[e.ChannelEvent], *fields: Field, prefix: str = "") -> Reader:
    """Read an event about a channel, whose identity stands behind `prefix`."""
    owner = tuple(prefix + key for key in _OWNER)
    return Reader(_made(kind, len(owner), fields), (*owner, *(key for key, _ in fields)), frozenset(owner))


def _in_queue(kind: type[e.QueueEvent], *fields: Field) -> Reader:
    """Read an event about a caller in a queue. Listings give no Linkedid: the channel's id stands for it."""
    place = (*_OWNER, "Queue")
    make = _made(kind, len(place), fields)

    def make_linked(at: int, uniqueid: str, linkedid: str, *others: str) -> e.Event | None:
        return make(at, uniqueid, linkedid or uniqueid, *others)

    return Reader(make_linked, (*place, *(key for key, _ in fields)), frozenset(place) - {"Linkedid"})


def _about(make: Make, *keys: str) -> Reader:
    """Read an event about a channel by a function of its own."""
    return Reader(make, (*_OWNER, *keys), frozenset(_OWNER))


def _member(at: int, *values: str, gone: bool = False) -> e.Event:
    """Read a member from a listing (`Location`, `Name`) or from an event about it (`Interface`, `MemberName`)."""
    queue, event_interface, location, event_name, listed_name, state_interface, *state = values
    status, paused, in_call, last_call, wrapup = state
    interface = event_interface or location
    _check_identity(interface)
    return e.QueueMember(
        at,
        queue,
        interface,
        event_name or listed_name or interface,
        state_interface or interface,
        _whole(status),
        paused == "1",
        in_call == "1",
        _count(last_call),
        _count(wrapup),
        gone,
    )


_OF_MEMBER: Final = (
    *("Queue", "Interface", "Location", "MemberName", "Name", "StateInterface"),
    *("Status", "Paused", "InCall", "LastCall", "Wrapuptime"),
)
_news_of_member: Final = Reader(_member, _OF_MEMBER, frozenset(("Queue",)))

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


def _step(at: int, *values: str) -> e.Event | None:
    """Read a step of the dialplan: into a queue, or another one."""
    uniqueid, linkedid, channel, application, data, extension, state = values
    if application == "Queue":
        return e.Newexten(at, uniqueid, linkedid, channel, data)
    return e.DialplanStep(at, uniqueid, linkedid, channel, application, data, extension, _whole(state))


def _variable(at: int, *values: str) -> e.Event | None:
    """Read the two variables that tell something: how a queue ended, and what a channel's voice came to."""
    uniqueid, linkedid, channel, name, value = values
    if name == "QUEUESTATUS":
        return e.QueueStatus(at, uniqueid, linkedid, channel, value)
    said = dict(part.partition("=")[::2] for part in value.split(";"))
    received = _whole(said.get("rxcount", ""))
    return None if received is None else e.RtpTotal(at, uniqueid, linkedid, channel, received)


_REPORTED: Final = ("Report0HighestSequence", "Report0SequenceNumberCycles", "ReportCount", "SentNTP")


def _report(at: int, *values: str) -> e.Event | None:
    """Read a report of ours to the far end: what we had received from it by then."""
    uniqueid, linkedid, channel, sequence, cycles, reports, sent_at = values
    highest = _count(sequence) + _CYCLE * _count(cycles) if _count(reports) else None
    return e.RTCPSent(at, uniqueid, linkedid, channel, highest, _instant(sent_at, 0))


def _news(at: int, *values: str) -> e.Event | None:
    """Read a UserEvent of the dialplan that we ship."""
    uniqueid, linkedid, channel, name, queue, reason = values
    kind = _KNOWN_NEWS[name]
    return kind(at, uniqueid, linkedid, channel, _name(reason if kind is e.LcrReason else queue))


_KNOWN_NEWS: Final[dict[str, Callable[..., e.Event]]] = {
    "LcrRequested": e.LcrRequested,
    "LcrClosed": e.LcrClosed,
    "LcrReason": e.LcrReason,
}

_READERS: Final[dict[bytes, Reader]] = {
    b"Newchannel": _on_channel(e.Newchannel, _NUMBER, ("Exten", _plain), _STATE),
    b"Newstate": _on_channel(e.Newstate),
    b"NewCallerid": _on_channel(e.NewCallerid, _NUMBER),
    b"Newexten": _about(_step, "Application", "AppData", "Extension", "ChannelState"),
    b"VarSet": _about(_variable, "Variable", "Value"),
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
    b"RTCPSent": _about(_report, *_REPORTED),
    b"RTCPReceived": _on_channel(e.RTCPReceived),
    b"UserEvent": _about(_news, "UserEvent", "Queue", "Reason"),
    b"CoreShowChannel": _shown,
    b"QueueMember": _news_of_member,
    b"QueueMemberStatus": _news_of_member,
    b"QueueMemberAdded": _news_of_member,
    b"QueueMemberPause": _news_of_member,
    b"QueueMemberPenalty": _news_of_member,
    b"QueueMemberRinginuse": _news_of_member,
    b"QueueMemberRemoved": Reader(partial(_member, gone=True), _OF_MEMBER, frozenset(("Queue",))),
}
LOOKS: Final[dict[bytes, Look | None]] = {
    **dict.fromkeys(_READERS, EACH),
    b"Newstate": _is_called_on,
    b"VarSet": _variable_needed,
    b"Newexten": _step_needed,
    b"AgentComplete": _with_channel,
    b"RTCPSent": _with_channel,
    b"RTCPReceived": _with_channel,
    b"UserEvent": _for_us,
}
"""Looks at its bytes that tell cheaply whether a message of that kind is worth reading."""
_LAYOUTS: Final = Layouts({kind: reader.forms for kind, reader in _READERS.items()})
