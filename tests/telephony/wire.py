"""Messages as Asterisk writes them, from the few headers that a test is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

SNAPSHOT: Final = {
    "Channel": "PJSIP/trunk-00000001",
    "ChannelState": "6",
    "ChannelStateDesc": "Up",
    "CallerIDNum": "<unknown>",
    "CallerIDName": "<unknown>",
    "ConnectedLineNum": "<unknown>",
    "ConnectedLineName": "<unknown>",
    "Language": "en",
    "AccountCode": "",
    "Context": "from-trunk",
    "Exten": "500",
    "Priority": "2",
    "Uniqueid": "1795307133.1",
    "Linkedid": "1795307133.1",
}
DEST: Final = {f"Dest{key}": value for key, value in SNAPSHOT.items()}
PARKED: Final = frozenset({"ParkedCall", "UnParkedCall", "ParkedCallGiveUp", "ParkedCallTimeOut"})
"""Events about a channel that is parked, whose headers begin with this word."""
PARKEE: Final = "Parkee"
MEMBER: Final = {
    "StateInterface": "",
    "Membership": "static",
    "Penalty": "0",
    "CallsTaken": "0",
    "LastCall": "0",
    "LastPause": "0",
    "LoginTime": "0",
    "InCall": "0",
    "Status": "1",
    "Paused": "0",
    "PausedReason": "",
    "Wrapuptime": "0",
}
CALLER: Final = ("CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName")
QUEUE: Final = ("Queue", "Max", "Strategy", "Calls", "Holdtime", "TalkTime", "Completed", "Abandoned", "Weight")
LISTED: Final = {
    "QueueParams": {**dict.fromkeys(QUEUE, "0"), "ActionID": "a1"},
    "CoreShowChannel": {"ActionID": "a1", **SNAPSHOT},
    "QueueMember": {"Queue": "support", "Name": "One", "Location": "PJSIP/1", **MEMBER, "ActionID": "a1"},
    "QueueEntry": {
        "Queue": "support",
        "Position": "1",
        "Channel": SNAPSHOT["Channel"],
        "Uniqueid": SNAPSHOT["Uniqueid"],
        **dict.fromkeys(CALLER, "unknown"),
        "Wait": "0",
        "Priority": "0",
        "ActionID": "a1",
    },
}


def written(headers: Iterable[tuple[str, str]]) -> bytes:
    """Give the message of these headers, Event the first, with all others that Asterisk would write, in its order.

    A header that is told several times stands in its place several times; what no such event has comes last.
    """
    told: dict[str, list[str]] = {}
    for key, value in headers:
        told.setdefault(key, []).append(value)
    if told["Event"][0] in PARKED:
        told = {PARKEE + key if key in SNAPSHOT else key: values for key, values in told.items()}
    order = _headers_of(told["Event"][0], told)
    lines = [(key, value) for key, usual in order.items() for value in told.pop(key, [usual])]
    lines += [(key, value) for key, values in told.items() for value in values]
    return "\r\n".join(f"{key}: {value}" for key, value in lines).encode()


def _headers_of(kind: str, told: dict[str, list[str]]) -> dict[str, str]:
    if kind in LISTED:
        return {"Event": kind, **LISTED[kind]}
    head = {"Event": kind, "Privilege": "call,all", **({"Timestamp": ""} if "Timestamp" in told else {})}
    if kind.startswith("QueueMember"):
        return {**head, "Queue": "support", "MemberName": "One", "Interface": "PJSIP/1", **MEMBER}
    if kind in PARKED:
        return {**head, **{PARKEE + key: value for key, value in SNAPSHOT.items()}, "Parkinglot": "default"}
    alone = "Uniqueid" not in told
    if alone and kind.startswith("RTCP"):
        return head
    to_dial = alone and kind.startswith("Dial")
    two = to_dial or any(key in DEST for key in told)
    return {**head, **({} if to_dial else SNAPSHOT), **(DEST if two else {})}
