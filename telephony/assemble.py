"""A call's events, in any order and condition, put together as a Call. Pure; nothing is judged here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, TypeVar

from telephony.call import Call, Ending, QueueVisit, Side, moment
from telephony.events import (
    AgentComplete,
    AgentConnect,
    BridgeEnter,
    ChannelEvent,
    CoreShowChannel,
    DialBegin,
    DTMFEnd,
    Hangup,
    HangupRequest,
    NewCallerid,
    Newchannel,
    Newexten,
    QueueCallerAbandon,
    QueueCallerJoin,
    QueueCallerLeave,
    QueueEntry,
    QueueEvent,
    QueueStatus,
    SoftHangupRequest,
)
from telephony.ids import epoch_of, originated, usable
from telephony.visits import NEAR, NEVER_IN, OVERTAKING, TOLD, Around, Stay, Visits, visit_of

NO_MEDIA: Final = 44
"""The cause of an RTP time-out (measured)."""
BROKEN: Final = frozenset({18, 19, 34, 38, 41, NO_MEDIA})
"""Q.850 causes of a talk broken off, not ended (measured: session timer, BYE with Q.850 or SIP 5xx)."""

_NO_SOUND: Final = 1  # AST_SOFTHANGUP_DEV: on the channel that timed out
_CUT: Final = 4 | 8 | 32  # AST_SOFTHANGUP_SHUTDOWN, _TIMEOUT, _EXPLICIT; 16 comes with every end and says nothing
_EVER: Final = 1 << 62
_EVIDENCE_LINES: Final = 40
_WORD: Final = 20

E = TypeVar("E", bound=ChannelEvent)
EndEvent = HangupRequest | SoftHangupRequest | Hangup


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the tracker has of a call at `now`: its events as they came; `gap`: some are known to be lost."""

    pbx: str
    call_id: str
    events: Sequence[ChannelEvent]
    ending: Ending
    now: int
    gap: bool = False


@dataclass(frozen=True, slots=True)
class _End:
    """How the last talk, or else the wait, came to its end."""

    causes: frozenset[int]
    side: Side | None
    cut: bool
    media_lost: bool


def assemble(gathered: Gathered) -> Call:
    """Put a call together. Never raises, whatever is missing, doubled or out of order."""
    events = sorted(gathered.events, key=lambda event: event.at)
    call_id = gathered.call_id
    own = [event for event in events if event.uniqueid == call_id]
    born = _first(own, Newchannel)
    over = _first(own, Hangup)
    stays = _stays(events)
    visits = _visits(stays, own, events, over.at if over else None)
    last = visits[-1] if visits else None
    talked_at = _talked_at(last, own)
    ends_at = _ends_at(last, over, talked_at)
    window = _window(ends_at, over)
    end = _end(events, call_id, _unanswered(stays), talked_at, window)
    channel = own[0].channel if own else ""
    placed = originated(call_id, channel)
    done = last is not None and last.connected_at is not None and stays[-1].completed_at is not None
    return Call(
        pbx=gathered.pbx,
        call_id=call_id,
        linkedid=own[-1].linkedid if own else call_id,
        channel=channel,
        number=_dialled(events) if placed else _number(own, born),
        did=born.exten if born is not None and born.exten not in {"", "s"} else None,
        started_at=_started_at(call_id, born, events),
        ended_at=over.at if over else None,
        seen_until=gathered.now if gathered.ending == "capture-ended" or not events else events[-1].at,
        visits=visits,
        cause=over.cause if over else None,
        causes=end.causes,
        hangup_by=end.side,
        talked_at=talked_at,
        talking=talked_at is not None and not done and over is None,
        went_on=done and over is not None and ends_at is not None and over.at > ends_at + NEAR,
        cut=end.cut,
        media_lost=end.media_lost,
        placed=placed,
        ending=gathered.ending,
        complete=not gathered.gap and born is not None and over is not None and _whole(stays, visits, events),
        evidence=_evidence(events, call_id),
    )


def _first(events: Iterable[ChannelEvent], kind: type[E]) -> E | None:
    return next((event for event in events if isinstance(event, kind)), None)


def _of(events: Iterable[ChannelEvent], kind: type[E]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


def _stays(events: Sequence[ChannelEvent]) -> list[Stay]:
    visits = Visits()
    for event in events:
        visits.take(event)
    return visits.close()


def _visits(
    stays: list[Stay], own: Sequence[ChannelEvent], events: Sequence[ChannelEvent], over_at: int | None
) -> tuple[QueueVisit, ...]:
    """Give the visits as values. Keys count on whichever of the call's channels stands in the queue."""
    waiting = {event.uniqueid for event in events if isinstance(event, QueueEvent)}
    keys = [e for e in _of(events, DTMFEnd) if e.uniqueid in waiting and e.direction != "Sent"]
    heard_dialplan = any(isinstance(event, Newexten) for event in events)  # a time-out would have told itself
    around = Around(
        over_at,
        tuple(event.at for event in _of(own, HangupRequest)),
        tuple((event.at, event.digit) for event in keys),
        slack=NEAR if heard_dialplan else OVERTAKING,
    )
    next_at = [stay.joined_at for stay in stays[1:]]
    return tuple(visit_of(stay, at, around) for stay, at in zip_longest(stays, next_at))


def _talked_at(last: QueueVisit | None, own: Sequence[ChannelEvent]) -> int | None:
    """Give when the last talk began: with the agent, or with whomever the caller was joined with later."""
    if last is None or last.connected_at is not None:
        return last.connected_at if last else None
    met = [e.at for e in _of(own, BridgeEnter) if e.bridge_type == "basic" and e.at >= last.joined_at]
    return min(met, default=None)


def _ends_at(last: QueueVisit | None, over: Hangup | None, talked_at: int | None) -> int | None:
    over_at = over.at if over else None
    if last is None or (talked_at is not None and last.connected_at is None):
        return over_at
    return last.ended_at or over_at


def _window(ends_at: int | None, over: Hangup | None) -> range:
    """Give the instants that belong to the end; AgentComplete may come after the Hangup."""
    if ends_at is None:
        return range(_EVER)
    return range(min(ends_at, over.at if over else ends_at) - NEAR, ends_at + NEAR + 1)


def _unanswered(stays: Iterable[Stay]) -> set[str]:
    """Give the channels of phones that rang and never answered: how they ended says nothing of the call."""
    rung = {leg for stay in stays for leg in stay.rung}
    return rung - {stay.leg for stay in stays if stay.leg}


def _end(
    events: Iterable[ChannelEvent],
    call_id: str,
    besides: set[str],
    talked_at: int | None,
    window: range,
) -> _End:
    """Tell how it ended, from all of its channels: behind Local members an agent's cause stays on his own."""
    since = talked_at or 0
    ends = [e for e in events if isinstance(e, EndEvent) and e.uniqueid not in besides and e.at >= since]
    near = [e for e in ends if e.at in window]
    requests = _of(near, HangupRequest) or _of(ends, HangupRequest)
    soft = [(e, e.flags or 0) for e in _of(near, SoftHangupRequest)]
    causes = frozenset(e.cause for e in near if not isinstance(e, SoftHangupRequest) and e.cause is not None)
    silent = next((e for e, flags in soft if flags & _NO_SOUND), None)
    cut = not requests and any(flags & _CUT for _, flags in soft)
    side: Side | None = None
    if NO_MEDIA in causes:
        side = _side(silent, call_id)
    elif requests:
        side = _side(requests[0], call_id)
    elif cut or causes & BROKEN:
        side = "system"
    return _End(causes, side, cut, NO_MEDIA in causes)


def _side(event: ChannelEvent | None, call_id: str) -> Side | None:
    if event is None:
        return None
    return "customer" if event.uniqueid == call_id else "agent"


def _number(own: Sequence[ChannelEvent], born: Newchannel | None) -> str | None:
    """Give the number on the customer's own channel.

    The one that it came with; where that is none, the first that the dialplan set before he joined a queue;
    where its beginning was not seen, the one that it had there.
    """
    if born is not None and usable(born.number):
        return born.number
    joined = _first(own, QueueCallerJoin)
    set_ = [e.number for e in _of(own, NewCallerid) if joined is None or e.at <= joined.at]
    seen = [] if born is not None else [e.number for e in own if isinstance(e, _NUMBERED)]
    return next((number for number in [*set_, *seen] if usable(number)), None)


_NUMBERED: Final = QueueCallerJoin | QueueEntry | CoreShowChannel


def _dialled(events: Sequence[ChannelEvent]) -> str | None:
    """Give the number that a placed call dialled on a trunk, else the one that it showed to the agent."""
    dialled = [e.dial_string.partition("@")[0] for e in _of(events, DialBegin) if "@" in e.dial_string]
    shown = [e.number for e in _of(events, NewCallerid)]
    return next((number for number in [*dialled, *shown] if usable(number)), None)


def _started_at(call_id: str, born: Newchannel | None, events: Sequence[ChannelEvent]) -> int:
    """Give the beginning: the channel's, if its clock is the PBX's; else the second that the id tells."""
    epoch = epoch_of(call_id)
    if epoch is None:
        return events[0].at if events else 0
    return born.at if born is not None and abs(born.at - epoch) <= NEAR else epoch


def _whole(stays: Iterable[Stay], visits: Iterable[QueueVisit], events: Sequence[ChannelEvent]) -> bool:
    """Tell whether no visit lacks its beginning or end, nor any agent's channel its own."""
    gone = {event.uniqueid for event in _of(events, Hangup)}
    known = all(stay.joined and (not stay.leg or stay.leg in gone) for stay in stays)
    return known and all(v.end in TOLD and (v.queue is not None or v.end not in NEVER_IN) for v in visits)


def _evidence(events: Iterable[ChannelEvent], call_id: str) -> tuple[str, ...]:
    """Give a line for each event that tells something, with its instant: the first and last ones if many."""
    told = [(event, _line(event, call_id)) for event in events]
    lines = [f"{line} at {moment(event.at)}" for event, line in told if line]
    if len(lines) > _EVIDENCE_LINES:
        half = _EVIDENCE_LINES // 2
        lines = [*lines[:half], f"… {len(lines) - 2 * half} more", *lines[-half:]]
    return tuple(lines)


def _line(event: ChannelEvent, call_id: str) -> str | None:
    """Say what an event told, without numbers and keys: they stand elsewhere, and are erased there."""
    whose = "caller" if event.uniqueid == call_id else event.channel
    match event:
        case QueueStatus(value=value):
            return f"QUEUESTATUS {value[:_WORD]}"
        case AgentComplete(queue=queue, reason=reason):
            detail = f"{queue} by {reason[:_WORD] or 'nobody known'}"
        case QueueCallerJoin() | QueueEntry() | AgentConnect() | QueueCallerAbandon() | QueueCallerLeave():
            detail = event.queue
        case SoftHangupRequest(flags=flags) if flags and flags & (_CUT | _NO_SOUND):
            detail = f"{whose} flags {flags}"
        case HangupRequest(cause=cause) | Hangup(cause=cause):
            detail = whose if cause is None else f"{whose} cause {cause}"
        case DTMFEnd():
            detail = whose
        case _:
            return None
    return f"{type(event).__name__} {detail}"
