"""How the last talk, or else the wait, ended: the causes, the side, and whether it was cut off. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from telephony.calls.call import Side
from telephony.calls.facts.pre_queue import UP
from telephony.calls.facts.visits import NEAR, OVERTAKING, Stay
from telephony.events import ChannelEvent, Hangup, HangupRequest, SoftHangupRequest

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
_EndEvent = HangupRequest | SoftHangupRequest | Hangup


@dataclass(frozen=True, slots=True)
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


def unanswered(stays: Iterable[Stay], events: Iterable[ChannelEvent], call_id: str) -> set[str]:
    """Give the channels of phones that rang and never answered: how they ended says nothing of the call."""
    stays = list(stays)
    rung = {leg for stay in stays for leg in stay.rung}
    never_up = {e.uniqueid for e in events if isinstance(e, (Hangup, HangupRequest)) and e.state not in {None, UP}}
    return (rung - {stay.leg for stay in stays if stay.leg}) | (never_up - {call_id})


def end_of(
    events: Iterable[ChannelEvent], call_id: str, besides: set[str], talked_at: int | None, instants: range
) -> End:
    """Tell how it ended, from all of its channels: behind Local members only the agent's own channel has the cause."""
    since = (talked_at or 0) - OVERTAKING
    ends = [e for e in events if isinstance(e, _EndEvent) and e.uniqueid not in besides and e.at >= since]
    near = [e for e in ends if e.at in instants]
    requests = _requests(near) or _requests(ends)
    soft = [(e, e.flags or 0) for e in near if isinstance(e, SoftHangupRequest)]
    causes = frozenset(e.cause for e in near if not isinstance(e, SoftHangupRequest) and e.cause is not None)
    silent = _timed_out(near) or _timed_out(ends)
    cut = not requests and any(flags & CUT for _, flags in soft)
    side: Side | None = None
    if NO_MEDIA in causes:
        side = _side(silent, call_id)
    elif requests:
        side = _side(requests[0], call_id)
    elif cut or causes & BROKEN:
        side = "system"
    return End(causes, side, cut, NO_MEDIA in causes)


def _timed_out(ends: Iterable[ChannelEvent]) -> SoftHangupRequest | None:
    """Give what tells which channel timed out. Where nothing is stamped it may seem to come long before the Hangup."""
    soft = [event for event in ends if isinstance(event, SoftHangupRequest) and (event.flags or 0) & NO_SOUND]
    return soft[-1] if soft else None


def _requests(ends: Iterable[ChannelEvent]) -> list[HangupRequest]:
    return [event for event in ends if isinstance(event, HangupRequest)]


def _side(event: ChannelEvent | None, call_id: str) -> Side | None:
    if event is None:
        return None
    return "customer" if event.uniqueid == call_id else "agent"
