"""How the last talk, or else the wait, ended: the causes, the side, and whether it was cut off. Pure."""

from collections.abc import Iterable
from typing import Final

from telephony.calls.call import Side
from telephony.calls.facts.by_kind import ByKind
from telephony.calls.facts.pre_queue import UP
from telephony.calls.facts.timeline import Timeline
from telephony.calls.facts.visits import NEAR, OVERTAKING
from telephony.events import ChannelEvent, Hangup, HangupRequest, SoftHangupRequest
from telephony.values import value

NO_MEDIA: Final = 44
"""The cause of an RTP time-out (measured)."""
BROKEN: Final = frozenset({18, 19, 34, 38, 41, NO_MEDIA})
"""Q.850 causes of a talk broken off, not ended (measured: session timer, BYE with Q.850 or SIP 5xx)."""
NO_SOUND: Final = 1
"""AST_SOFTHANGUP_DEV: on the channel that timed out."""
CUT: Final = 4 | 8 | 32
"""AST_SOFTHANGUP_SHUTDOWN, _TIMEOUT, _EXPLICIT; 16 comes with every end and says nothing."""
EVER: Final = 1 << 62
"""Later than any instant."""


@value
class End:
    """How it ended."""

    causes: frozenset[int]
    side: Side | None
    cut: bool
    media_lost: bool


def window(ends_at: int | None, over: Hangup | None) -> range:
    """Give the instants that belong to the end; AgentComplete may come after the Hangup."""
    if ends_at is None:
        return range(EVER)
    return range(min(ends_at, over.at if over else ends_at) - NEAR, ends_at + NEAR + 1)


def unanswered(timeline: Timeline) -> set[str]:
    """Give the channels of phones that rang and never answered: how they ended says nothing of the call."""
    ends: tuple[Hangup | HangupRequest, ...] = (*timeline.events.of(Hangup), *timeline.events.of(HangupRequest))
    found = {e.uniqueid for e in ends if e.state is not None and e.state != UP} - {timeline.call_id}
    for stay in timeline.stays:
        found |= stay.rung.keys() - timeline.legs
    return found


def end_of(events: ByKind, call_id: str, besides: set[str], talked_at: int | None, instants: range) -> End:
    """Tell how it ended, from all of its channels: behind Local members only the agent's own channel has the cause."""
    since = (talked_at or 0) - OVERTAKING
    requests = [e for e in events.of(HangupRequest) if e.at >= since and e.uniqueid not in besides]
    soft = [e for e in events.of(SoftHangupRequest) if e.at >= since and e.uniqueid not in besides]
    over = [e for e in events.of(Hangup) if e.at >= since and e.uniqueid not in besides]
    ends: tuple[HangupRequest | Hangup, ...] = (*requests, *over)
    causes = frozenset([e.cause for e in ends if e.cause is not None and e.at in instants])
    cut = not requests and any((e.flags or 0) & CUT and e.at in instants for e in soft)
    side: Side | None = None
    if NO_MEDIA in causes:
        side = _side(_timed_out(soft, instants), call_id)
    elif requests:
        side = _side(next((e for e in requests if e.at in instants), requests[0]), call_id)
    elif cut or causes & BROKEN:
        side = "system"
    return End(causes, side, cut, NO_MEDIA in causes)


def _timed_out(soft: Iterable[SoftHangupRequest], instants: range) -> SoftHangupRequest | None:
    """Give what tells which channel timed out. Where nothing is stamped it may seem to come long before the Hangup."""
    silent = [event for event in soft if (event.flags or 0) & NO_SOUND]
    return next(reversed([event for event in silent if event.at in instants] or silent), None)


def _side(event: ChannelEvent | None, call_id: str) -> Side | None:
    if event is None:
        return None
    return "customer" if event.uniqueid == call_id else "agent"
