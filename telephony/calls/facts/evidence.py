"""The evidence for a verdict, for people: a line for each event that it rests on. Pure."""

from collections.abc import Iterable
from typing import Final

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


def evidence(events: Iterable[ChannelEvent], call_id: str, *findings: str) -> tuple[str, ...]:
    """Give a line for each event that tells something, with its instant: the first and last ones if many."""
    described = [(event, _line(event, call_id)) for event in events]
    lines = [f"{line} at {moment(event.at)}" for event, line in described if line]
    if len(lines) > _LINES:
        half = _LINES // 2
        lines = [*lines[:half], f"… {len(lines) - 2 * half} more", *lines[-half:]]
    return (*lines, *findings)


def _line(event: ChannelEvent, call_id: str) -> str | None:
    """Describe an event without numbers and keys: they are kept elsewhere, and erased there."""
    channel = "caller" if event.uniqueid == call_id else event.channel
    match event:
        case QueueStatus(value=value):
            return f"QUEUESTATUS {value[:_WORD]}"
        case AgentComplete(queue=queue, reason=reason):
            detail = f"{queue} by {reason[:_WORD] or 'nobody known'}"
        case QueueCallerJoin() | QueueEntry() | AgentConnect() | QueueCallerAbandon() | QueueCallerLeave():
            detail = event.queue
        case SoftHangupRequest(flags=flags) if flags and flags & (CUT | NO_SOUND):
            detail = f"{channel} flags {flags}"
        case HangupRequest(cause=cause) | Hangup(cause=cause):
            detail = channel if cause is None else f"{channel} cause {cause}"
        case DialplanStep(application=application):
            detail = f"{channel} {application[:_WORD]}"
        case LcrReason(reason=reason):
            detail = f"{channel} {reason[:_WORD]}"
        case ParkedCall() | UnParkedCall() | ParkedCallGiveUp() | ParkedCallTimeOut():
            detail = channel
        case DTMFEnd() | LcrRequested() | LcrClosed() | Confirmed() | Denied():
            detail = channel
        case _:
            return None
    return f"{type(event).__name__} {detail}"
