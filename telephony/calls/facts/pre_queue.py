"""How a call ended that reached no queue, or that was transferred to nobody: which side ended it, and how. Pure."""

from collections.abc import Iterable
from typing import Final

from telephony.calls.facts.timeline import Timeline
from telephony.events import DialplanStep, HangupRequest, ParkedCallGiveUp, ParkedCallTimeOut
from telephony.ids import is_local
from telephony.values import value

DECISIVE: Final = ("Hangup", "Congestion", "Busy")
"""Steps of the dialplan that end a call."""
CONFERENCE: Final = "ConfBridge"
"""The step that puts a caller into a conference, where nobody may be. (Of MeetMe nothing tells who is there.)"""
_CONGESTION: Final = 34
_BUSY: Final = 17
_SAID_BY: Final = {"Congestion": _CONGESTION, "Busy": _BUSY}
PLAIN: Final = frozenset({None, 0, 16})
"""Causes of a plain end; on 22 a caller's hang-up is often 0."""
RING: Final = 4
"""AST_STATE_RING: the channel is an incoming call."""
UP: Final = 6
"""AST_STATE_UP: the channel had been answered."""
_AFTERWARDS: Final = "h"
"""The extension that the dialplan runs when a channel was hung up: its steps end nothing any more."""


@value
class Departure:
    """How the caller's leg ended: at most one of the three holds."""

    refused_with: int | None = None
    gave_up: bool = False
    turned_away: bool = False


def departure_of(timeline: Timeline, since: int) -> Departure:
    """Tell how the call of a caller who talked with nobody ended, from the events of the caller's channel since then.

    Before any queue, others may show that a phone which had answered hung up, without a bridge with the caller. A
    HangupRequest is the caller's own, except after Congestion and Busy: Asterisk sends one for them as well (16 without
    a cause).
    """
    own, over = timeline.own, timeline.over
    step = _last_step(own.of(DialplanStep), since)
    request = next((e for e in own.of(HangupRequest) if e.at >= since), None)
    cause = over.cause if over else None
    if step in _SAID_BY:
        return Departure(refused_with=_SAID_BY[step])
    if request is not None:
        refused = request.cause in {None, cause} and cause in _SAID_BY.values() and step is None
        return Departure(refused_with=cause) if refused else Departure(gave_up=True)
    if any(e.at >= since for e in own.of(ParkedCallGiveUp)):
        return Departure(gave_up=True)
    if over is not None and cause not in PLAIN:
        return Departure(refused_with=cause)
    forgotten = any(e.at >= since for e in own.of(ParkedCallTimeOut))
    dropped = step is not None or forgotten or _answered_phone_hung_up(timeline, since)
    return Departure(turned_away=over is not None and dropped)


def _answered_phone_hung_up(timeline: Timeline, since: int) -> bool:
    """Tell whether a phone that had answered hung up again: Dial then ends, and the caller's call with it."""
    if timeline.last is not None:
        return False
    requests = [e for e in timeline.events.of(HangupRequest) if e.at >= since and e.uniqueid != timeline.call_id]
    return any(e.state == UP and not is_local(e.channel) for e in requests)


def _last_step(steps: Iterable[DialplanStep], since: int) -> str | None:
    """Give the last decisive step that the dialplan ran before the channel was hung up."""
    last = None
    for step in steps:
        if step.at >= since:
            if step.extension == _AFTERWARDS:
                break
            last = step.application if step.application in DECISIVE else last
    return last
