"""The evidence for a verdict, for people: a line for each event that it rests on. Pure."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from telephony.calls.call import moment
from telephony.calls.facts.ending import CUT, NO_SOUND
from telephony.events import (
    AgentComplete,
    AgentConnect,
    ChannelEvent,
    Confirmed,
    Denied,
    DialplanStep,
    DTMFEnd,
    Hangup,
    HangupRequest,
    LcrClosed,
    LcrReason,
    LcrRequested,
    ParkedCall,
    ParkedCallGiveUp,
    ParkedCallTimeOut,
    QueueCallerAbandon,
    QueueCallerJoin,
    QueueCallerLeave,
    QueueEntry,
    QueueStatus,
    SoftHangupRequest,
    UnParkedCall,
)

_LINES: Final = 40
_WORD: Final = 20

_Detail = Callable[[Any, str], str | None]


def _soft(event: SoftHangupRequest, channel: str) -> str | None:
    return f"{channel} flags {event.flags}" if (event.flags or 0) & (CUT | NO_SOUND) else None


def _ended(event: HangupRequest | Hangup, channel: str) -> str:
    return channel if event.cause is None else f"{channel} cause {event.cause}"


_IN_A_QUEUE: Final = (QueueCallerJoin, QueueEntry, AgentConnect, QueueCallerAbandon, QueueCallerLeave)
_PARKING: Final = (ParkedCall, UnParkedCall, ParkedCallGiveUp, ParkedCallTimeOut)
_DETAILS: Final[dict[type[ChannelEvent], _Detail]] = {
    **dict.fromkeys(_IN_A_QUEUE, lambda event, _: event.queue),
    AgentComplete: lambda event, _: f"{event.queue} by {event.reason[:_WORD] or 'nobody known'}",
    QueueStatus: lambda event, _: event.value[:_WORD],
    SoftHangupRequest: _soft,
    HangupRequest: _ended,
    Hangup: _ended,
    DialplanStep: lambda event, channel: f"{channel} {event.application[:_WORD]}",
    LcrReason: lambda event, channel: f"{channel} {event.reason[:_WORD]}",
    **dict.fromkeys((*_PARKING, DTMFEnd, LcrRequested, LcrClosed, Confirmed, Denied), lambda _, channel: channel),
}
"""What is told of an event beside its name: no number and no key, for they are kept elsewhere, and erased there."""
NAMES: Final = {kind: kind.__name__ for kind in _DETAILS} | {QueueStatus: "QUEUESTATUS"}


def evidence(events: Iterable[ChannelEvent], call_id: str, *findings: str) -> tuple[str, ...]:
    """Give a line for each event that tells something, with its instant: the first and last ones if many."""
    lines = []
    for event in events:
        kind = type(event)
        detail_of = _DETAILS.get(kind)
        if detail_of is not None:
            detail = detail_of(event, "caller" if event.uniqueid == call_id else event.channel)
            if detail is not None:
                lines.append(f"{NAMES[kind]} {detail} at {moment(event.at)}")
    if len(lines) > _LINES:
        half = _LINES // 2
        lines = [*lines[:half], f"… {len(lines) - 2 * half} more", *lines[-half:]]
    return (*lines, *findings)
