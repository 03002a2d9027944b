"""How a call ended that came to no queue, or that was handed on to nobody: who let it go, and with what. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from telephony.events import ChannelEvent, DialplanStep, Hangup, HangupRequest

DECISIVE: Final = ("Hangup", "Congestion", "Busy")
"""Steps of the dialplan that end a call."""
_CONGESTION: Final = 34
_BUSY: Final = 17
_SAID_BY: Final = {"Congestion": _CONGESTION, "Busy": _BUSY}
PLAIN: Final = frozenset({None, 0, 16})
"""Causes of a plain end; on 22 a caller's hang-up is often 0."""
_AFTERWARDS: Final = "h"
"""The extension that the dialplan runs when a channel was hung up: its steps end nothing any more."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """How the caller went: at most one of the three holds."""

    refused_with: int | None = None
    gave_up: bool = False
    turned_away: bool = False


def leaving(own: Sequence[ChannelEvent], over: Hangup | None, since: int) -> Leaving:
    """Tell how a caller went with whom nobody was talking, from the events of his channel since then.

    A HangupRequest is his own, but for Congestion and Busy: Asterisk sends one for them as well (16 without a cause).
    """
    step = _last_step(own, since)
    request = next((e for e in own if isinstance(e, HangupRequest) and e.at >= since), None)
    cause = over.cause if over else None
    if step in _SAID_BY:
        return Leaving(refused_with=_SAID_BY[step])
    if request is not None:
        refused = request.cause in {None, cause} and cause in _SAID_BY.values() and step is None
        return Leaving(refused_with=cause) if refused else Leaving(gave_up=True)
    if over is not None and cause not in PLAIN:
        return Leaving(refused_with=cause)
    return Leaving(turned_away=over is not None and step is not None)


def _last_step(own: Sequence[ChannelEvent], since: int) -> str | None:
    """Give the last decisive step that the dialplan ran before the channel was hung up."""
    last = None
    for event in own:
        if isinstance(event, DialplanStep) and event.at >= since:
            if event.extension == _AFTERWARDS:
                break
            last = event.application if event.application in DECISIVE else last
    return last
