"""Refuses messages that Asterisk never writes: those that a caller forged, and those that were cut in two by it.

Asterisk escapes neither numbers nor extensions. A caller with `%0d%0a` in the SIP user ends the event in which
the number stands, writes headers or whole events, and leaves the rest of the genuine event behind them: in
every event with that number, the agents' events too. Measured on 16 and 22, it stands so in CallerIDNum,
ConnectedLineNum and Exten, in the lines of listings, in AppData, DialString and UserEvents where a dialplan hands it
on, and in the answer to Getvar; names, and the values of VarSet, are escaped. At the end of an event (AppData) there
is no rest that would betray it.

What betrays it everywhere is how much Asterisk has to say. An event about a channel holds the channel's whole
snapshot, fourteen headers in one order (`ast_manager_build_channel_state_string_prefix`), which makes 241 bytes at the
very least; news of an agent, and the line of a listing, 180. A caller has 79: there PJSIP cuts a number, and an
extension. So a forged message is not whole, and one with such a number in it is not whole any more. `whole` checks
this, message by message: nothing is held back, no neighbour is touched, and a caller who merely has a broken number
loses only those events.

What remains possible is no more than by calling: an event about the caller's own channel, with a genuine rest.
A number of 94 bytes and an extension of 67 (no PJSIP, and a dialplan that takes any extension) could be welded to an
event about another's channel, and so could several values that a dialplan strings together. So whatever is to be acted
on is confirmed by asking the PBX.
"""

import re
from collections import Counter
from collections.abc import Callable
from typing import Final

from telephony.ami.protocol import EVENT, LINE_END

EXCERPT_BYTES: Final = 120

Keys = tuple[str, ...]
Check = Callable[[bytes], bool]

_PRIVILEGE: Final = "Privilege"
_SNAPSHOT: Final[Keys] = (
    "Channel",
    "ChannelState",
    "ChannelStateDesc",
    "CallerIDNum",
    "CallerIDName",
    "ConnectedLineNum",
    "ConnectedLineName",
    "Language",
    "AccountCode",
    "Context",
    "Exten",
    "Priority",
    "Uniqueid",
    "Linkedid",
)
_DEST: Final[Keys] = tuple(f"Dest{key}" for key in _SNAPSHOT)
_PARKEE: Final[Keys] = tuple(f"Parkee{key}" for key in _SNAPSHOT)
_OF_MEMBER: Final[Keys] = (
    "StateInterface",
    "Membership",
    "Penalty",
    "CallsTaken",
    "LastCall",
    "LastPause?",  # not in every 16
    "LoginTime?",
    "InCall",
    "Status",
    "Paused",
)
_CALLER: Final[Keys] = ("CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName")
_IDENTITY: Final = (b"\r\nChannel:", b"\r\nUniqueid:", b"\r\nLinkedid:")
_FOLLOWERS: Final = {"CallerIDNum": "CallerIDName", "ConnectedLineNum": "ConnectedLineName", "Exten": "Priority"}
"""What stands right behind a value that a caller may choose."""


class RefusedMessages(Counter[str]):
    """How many messages were refused, by why; `excerpt` shows the newest of them, as it may be printed."""

    excerpt = ""


def refuse(counts: Counter[str] | None, why: str, raw: bytes) -> None:
    """Count a message that is refused."""
    if counts is not None:
        counts[why] += 1
    if isinstance(counts, RefusedMessages):
        counts.excerpt = excerpt(raw)


def excerpt(raw: bytes) -> str:
    """Give the event's name and the end of a message, where it was cut, in one line of printable ASCII."""
    name, end = raw[:EXCERPT_BYTES].partition(LINE_END)[0], raw[-EXCERPT_BYTES:]
    shown = raw if len(raw) <= EXCERPT_BYTES else name + b" ... " + end
    return shown.decode("latin-1").encode("unicode_escape").decode("ascii")


def whole(raw: bytes) -> bool:
    """Tell whether a message is as Asterisk writes it: every header that its kind has, in order, and once.

    True for the kinds that are not in KINDS: at those nobody looks. What Asterisk adds by its settings (Timestamp,
    SystemName, ChanVariable) or in another version may stand between and behind.
    """
    check = _CHECKS.get(raw[len(EVENT) : raw.find(LINE_END)])
    return check is None or check(raw)


def told_by_order(raw: bytes) -> bool:
    """Tell of a message that is whole whether any other with the same headers in that order is so too.

    Of global variables and other programs' words it is what they say that lets them pass.
    """
    return not raw.startswith((b"Event: VarSet\r\n", b"Event: UserEvent\r\n")) or _on_channel(raw)


def vouched(raw: bytes) -> bool:
    """Tell whether a message is whole and of one of KINDS: no caller wrote it."""
    return raw[len(EVENT) : raw.find(LINE_END)] in KINDS and raw.startswith(EVENT) and whole(raw)


def _check_of(*keys: str) -> Check:
    """Look for these headers behind the event's name; nearly always they stand as the quick pattern says."""
    needed = tuple(key for key in keys if not key.endswith("?"))
    first, *others = (_row(key) for key in keys[:-1])
    extras = rb"(?:(?:Timestamp|Bridge[A-Za-z]++): [^\r]*+\r\n)*+"
    rows = [rb"Event: [^\r]*+\r\n", first, extras, *others, keys[-1].encode() + b": "]
    as_ever = re.compile(b"".join(rows)).match
    return lambda raw: as_ever(raw) is not None or _in_order(raw, needed)


def _row(key: str) -> bytes:
    row = rb"%b: [^\r]*+\r\n" % key.removesuffix("?").encode()
    return rb"(?:%b)?+" % row if key.endswith("?") else row


def _in_order(raw: bytes, keys: Keys) -> bool:
    """Tell it of a message with further headers, or with half a line's end in a value."""
    names = [line.partition(b":")[0].decode("latin-1") for line in raw.split(LINE_END)]
    if any(names.count(key) != 1 for key in keys):
        return False
    places = [names.index(key) for key in keys]
    return places == sorted(places) and places[0] == 1 and all(_followed(names, place) for place in places)


def _followed(names: list[str], place: int) -> bool:
    """Tell whether a value that a caller may choose ends where its line does."""
    bare = names[place].removeprefix("Dest").removeprefix("Parkee")
    follower = _FOLLOWERS.get(bare)
    return follower is None or names[place + 1] == names[place].replace(bare, follower)


_on_channel: Final = _check_of(_PRIVILEGE, *_SNAPSHOT)
_on_both: Final = _check_of(_PRIVILEGE, *_SNAPSHOT, *_DEST)
_on_dialled: Final = _check_of(_PRIVILEGE, *_DEST)
_of_member: Final = _check_of(_PRIVILEGE, "Queue", "MemberName", "Interface", *_OF_MEMBER)


def _on_pair(raw: bytes) -> bool:
    """Look at an event about two channels; a program that dials has none of its own."""
    if b"\r\nDestChannel: " not in raw:
        return _on_one(raw)
    return (_on_both if b"\r\nChannel: " in raw else _on_dialled)(raw)


def _on_one(raw: bytes) -> bool:
    """Look at an event about a channel that may be gone by then: AgentComplete, a stream's last report on voice."""
    return _on_channel(raw) or not any(key in raw for key in _IDENTITY)


def _variable(raw: bytes) -> bool:
    """Look at a variable: a channel's, or a global one."""
    return _on_channel(raw) or b"\r\nChannel: none\r\nUniqueid: none\r\nVariable: " in raw


def _said(raw: bytes) -> bool:
    """Look at our dialplan's own words; what other programs say is theirs."""
    return b"\r\nUserEvent: Lcr" not in raw or _on_channel(raw)


_CHECKS: Final[dict[bytes, Check]] = {
    **dict.fromkeys(
        (
            b"Newchannel",
            b"Newstate",
            b"NewCallerid",
            b"NewConnectedLine",
            b"NewAccountCode",
            b"Newexten",
            b"Hangup",
            b"HangupRequest",
            b"SoftHangupRequest",
            b"DTMFBegin",
            b"DTMFEnd",
            b"Hold",
            b"Unhold",
            b"MusicOnHoldStart",
            b"MusicOnHoldStop",
            b"ChannelTalkingStart",
            b"ChannelTalkingStop",
            b"BridgeEnter",
            b"BridgeLeave",
            b"ConfbridgeJoin",
            b"QueueCallerJoin",
            b"QueueCallerLeave",
            b"QueueCallerAbandon",
        ),
        _on_channel,
    ),
    **dict.fromkeys((b"AgentCalled", b"AgentConnect", b"AgentComplete", b"AgentRingNoAnswer"), _on_pair),
    **dict.fromkeys((b"DialBegin", b"DialState", b"DialEnd"), _on_pair),
    **dict.fromkeys((b"RTCPSent", b"RTCPReceived"), _on_one),
    **dict.fromkeys(
        (b"ParkedCall", b"UnParkedCall", b"ParkedCallGiveUp", b"ParkedCallTimeOut"), _check_of(_PRIVILEGE, *_PARKEE)
    ),
    **dict.fromkeys(
        (
            b"QueueMemberStatus",
            b"QueueMemberAdded",
            b"QueueMemberPause",
            b"QueueMemberPenalty",
            b"QueueMemberRinginuse",
            b"QueueMemberRemoved",
        ),
        _of_member,
    ),
    b"VarSet": _variable,
    b"UserEvent": _said,
    b"CoreShowChannel": _check_of("ActionID", *_SNAPSHOT),
    b"QueueParams": _check_of("Queue", "Max", "Strategy", "Calls", "Holdtime", "TalkTime", "Completed", "ActionID"),
    b"QueueMember": _check_of("Queue", "Name", "Location", *_OF_MEMBER, "ActionID"),
    b"QueueEntry": _check_of("Queue", "Position", "Channel", "Uniqueid", *_CALLER, "Wait", "Priority", "ActionID"),
}
KINDS: Final = frozenset(_CHECKS)
"""The kinds of event that `whole` looks at: all that anybody here acts on must be among them."""
