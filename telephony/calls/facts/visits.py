"""The queue visits of a call, from its events in any condition: late, twice, or with some missing.

The events of a call are taken in the order of their instants. Each finds its visit by queue and by when that
visit must have begun (app_queue tells how long the caller had waited), within 2 s; where a join was lost, the
first thing heard of a visit begins it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Final

from telephony.calls.call import QueueVisit, VisitEnd
from telephony.calls.facts.by_kind import ByKind
from telephony.events import (
    AgentCalled,
    AgentComplete,
    AgentConnect,
    AgentRingNoAnswer,
    ChannelEvent,
    CoreShowChannel,
    DTMFEnd,
    HangupRequest,
    Newexten,
    QueueCallerAbandon,
    QueueCallerJoin,
    QueueCallerLeave,
    QueueEntry,
    QueueEvent,
    QueueStatus,
)
from telephony.ids import SECOND
from telephony.values import value

NEAR: Final = 2 * SECOND
"""Two instants this close are one: app_queue counts whole seconds, and channels report in any order."""
OVERTAKING: Final = SECOND // 10
"""By this much the news of one channel may overtake each other: queue and channel report by different ways."""
ECHO: Final = SECOND
"""A QUEUESTATUS that comes again so soon was told twice; queues that throw out one after another take longer."""
KEY_BEFORE_LEAVING: Final = 5 * SECOND

STATUSES: Final[dict[str, VisitEnd]] = {
    "TIMEOUT": "timed-out",
    "LEAVEEMPTY": "left-empty",
    "LEAVEUNAVAIL": "left-empty",
    "WITHDRAW": "withdrawn",
    "FULL": "full",
    "JOINEMPTY": "join-empty",
    "JOINUNAVAIL": "join-empty",
    "UNKNOWN": "no-queue",
}
"""What QUEUESTATUS says (app_queue's queue_results). CONTINUE follows a talk and says nothing new."""
NEVER_IN: Final = frozenset({"full", "join-empty", "no-queue"})
PROVEN_ENDS: Final = frozenset({"connected", "abandoned", "key", *STATUSES.values()})
"""Ends that events prove; the others mean that events are missing."""


@dataclass(slots=True)
class Stay:
    """A queue visit while it is put together."""

    queue: str | None
    joined_at: int
    joined: bool = False  # its beginning was seen
    rung: dict[str, int] = field(default_factory=dict)
    missed: dict[str, int] = field(default_factory=dict)
    left_at: int | None = None
    abandoned_at: int | None = None
    status: VisitEnd | None = None
    status_at: int | None = None
    connected_at: int | None = None
    timed: bool = False  # an event told when it was answered, or how long the talk was
    talk_s: int | None = None
    leg: str | None = None
    agent: str | None = None
    completed_at: int | None = None
    handed_on: bool = False

    @property
    def open(self) -> bool:
        """Tell whether nothing is known of its end; having left is no end."""
        return self.connected_at is None and self.abandoned_at is None and self.status is None

    def over(self, at: int) -> bool:
        """Tell whether the wait had ended by then."""
        ends = (self.connected_at, self.abandoned_at, self.status_at, self.left_at)
        known = [end for end in ends if end is not None]
        return bool(known) and min(known) <= at


@dataclass(slots=True)
class Visits:
    """Puts a call's queue events, which come in order, where they belong; `stays` are its visits."""

    stays: list[Stay] = field(default_factory=list)
    entered: tuple[str | None, int] | None = None  # Queue was run, and nothing was heard of it yet
    doubtful: bool = False  # that may have been an echo of a visit before

    def close(self) -> list[Stay]:
        """Give the visits in the order of their beginning.

        Where Queue was run and nothing came of it, that is a visit of unknown end.
        """
        if self.entered is not None and not self.doubtful:
            self.begin(self.entered[0], self.entered[1])
        self.stays.sort(key=lambda stay: stay.joined_at)
        return self.stays

    def begin(self, queue: str | None, at: int, *, joined: bool = False) -> Stay:
        """Add a visit; where Queue was run for that queue, it began then at the latest."""
        if self.entered is not None and self.entered[0] == queue and not joined:
            at = min(at, self.entered[1])
        self.entered = None
        stay = Stay(queue, at, joined)
        self.stays.append(stay)
        return stay

    def find(self, queue: str, at: int, hold_s: int | None) -> Stay:
        """Give the visit of that queue which was open, or began when this event says; else a new one."""
        began_at = at if hold_s is None else at - hold_s * SECOND
        stays = [stay for stay in self.stays if stay.queue == queue]
        open_ = [stay for stay in stays if stay.open]
        close = open_ or [stay for stay in stays if abs(stay.joined_at - began_at) <= NEAR]
        if not close:  # whole seconds may seem to begin before an agent of the queue before had answered
            return self.begin(queue, max(began_at, *(s.connected_at or 0 for s in self.stays), 0))
        return min(reversed(close), key=lambda stay: abs(stay.joined_at - began_at))


def _enter(visits: Visits, event: Newexten | CoreShowChannel) -> None:
    """Note that Queue was run. During a visit that is an echo, told again when the caller leaves it.

    It may be an echo after a talk too: a caller fetched from a parking lot still seems to run the old Queue.
    """
    queue = event.data.split(",")[0] or None
    runs = isinstance(event, Newexten) or event.application == "Queue"
    if runs and not any(_echoes(stay, queue, event.at) for stay in visits.stays):
        visits.entered = (queue, event.at)
        visits.doubtful = any(stay.queue == queue and stay.completed_at is not None for stay in visits.stays)


def _echoes(stay: Stay, queue: str | None, at: int) -> bool:
    if stay.completed_at is None:
        return stay.open or stay.connected_at is not None
    return stay.queue == queue and abs(at - stay.completed_at) <= NEAR


def _join(visits: Visits, event: QueueCallerJoin | QueueEntry) -> None:
    at = event.at - (event.wait_s or 0) * SECOND if isinstance(event, QueueEntry) else event.at
    for stay in visits.stays:
        same = stay.queue == event.queue and abs(stay.joined_at - at) <= NEAR
        if same and not (stay.joined and stay.over(at)):
            stay.joined_at, stay.joined, visits.entered = min(at, stay.joined_at), True, None
            return
    visits.begin(event.queue, at, joined=True)


def _leave(visits: Visits, event: QueueCallerLeave) -> None:
    stays = [stay for stay in visits.stays if stay.queue == event.queue]
    still_in = [stay for stay in stays if stay.left_at is None]
    if still_in or not stays:
        stay = still_in[-1] if still_in else visits.begin(event.queue, event.at)
        stay.left_at = event.at


def _abandon(visits: Visits, event: QueueCallerAbandon) -> None:
    stay = visits.find(event.queue, event.at, event.hold_s)
    if stay.abandoned_at is None:
        stay.abandoned_at = event.at


def _status(visits: Visits, event: QueueStatus) -> None:
    end = STATUSES.get(event.value)
    if end is None or any(s.status == end and abs((s.status_at or 0) - event.at) <= ECHO for s in visits.stays):
        return
    last = visits.stays[-1] if visits.stays else None
    inside = last is not None and last.connected_at is None and last.status is None
    if last is None or not inside or end in NEVER_IN:
        last = visits.begin(*(visits.entered or (None, event.at)))
        last.joined = end in NEVER_IN
    last.status, last.status_at = end, event.at


def _ring(visits: Visits, event: AgentCalled) -> None:
    _latest(visits, event).rung.setdefault(event.leg, event.at)


def _miss(visits: Visits, event: AgentRingNoAnswer) -> None:
    _latest(visits, event).missed.setdefault(event.leg, event.at)


def _latest(visits: Visits, event: QueueEvent) -> Stay:
    """Give the queue's last visit; a new one where that was over, for phones ring for those who wait."""
    stays = [s for s in visits.stays if s.queue == event.queue and not s.over(event.at - NEAR)]
    return stays[-1] if stays else visits.begin(event.queue, event.at)


def _connect(visits: Visits, event: AgentConnect) -> None:
    stay = visits.find(event.queue, event.at, event.hold_s)
    if stay.connected_at is None:
        stay.connected_at, stay.timed = event.at, True
    stay.leg, stay.agent = event.leg or stay.leg, event.agent or event.interface or stay.agent


def _complete(visits: Visits, event: AgentComplete) -> None:
    """End a talk. Where its AgentConnect was lost, this proves that there was one."""
    talks = [s for s in visits.stays if s.queue == event.queue and s.connected_at is not None]
    if any(s.completed_at is not None and s.leg == event.leg for s in talks):
        return
    running = [s for s in talks if s.completed_at is None]
    stay = running[-1] if running else visits.find(event.queue, event.at, _total(event))
    if stay.connected_at is None:
        stay.connected_at = max(stay.joined_at, event.at - (event.talk_s or 0) * SECOND)
        stay.timed = event.talk_s is not None
        stay.agent = event.agent or event.interface or None
    stay.leg = stay.leg or event.leg
    stay.completed_at, stay.handed_on, stay.talk_s = event.at, event.reason == "transfer", event.talk_s


def _total(event: AgentComplete) -> int | None:
    return None if event.hold_s is None or event.talk_s is None else event.hold_s + event.talk_s


_PLACES: Final[dict[type[ChannelEvent], Callable[[Visits, Any], None]]] = {
    Newexten: _enter,
    CoreShowChannel: _enter,
    QueueCallerJoin: _join,
    QueueEntry: _join,
    QueueCallerLeave: _leave,
    QueueCallerAbandon: _abandon,
    QueueStatus: _status,
    AgentCalled: _ring,
    AgentRingNoAnswer: _miss,
    AgentConnect: _connect,
    AgentComplete: _complete,
}


def stays_of(events: Iterable[ChannelEvent]) -> list[Stay]:
    """Put each event, in order, to its visit; those about no queue are ignored."""
    visits = Visits()
    for event in events:
        put = _PLACES.get(type(event))
        if put is not None:
            put(visits, event)
    return visits.close()


@value
class VisitContext:
    """Facts about the call by which the end of a visit is named, beside the visit's own events."""

    over_at: int | None  # when the call ended; None: it had not
    asked_at: Sequence[int]  # when the caller hung up
    keys: Sequence[tuple[int, str]]  # the keys pressed, and when
    met_at: Sequence[int]  # when the caller's channel was joined with another one
    slack: int  # a hang-up counts as giving up until so long after the queue reports its end


def visits_of(stays: Sequence[Stay], own: ByKind, events: ByKind, over_at: int | None) -> tuple[QueueVisit, ...]:
    """Give the visits as values. Keys count on every channel of the call that is in the queue."""
    if not stays:
        return ()
    context = VisitContext(
        over_at,
        [event.at for event in own.of(HangupRequest)],
        _keys(events),
        [event.at for event in own.joined],
        slack=NEAR if events.of(Newexten) else OVERTAKING,  # heard the dialplan, a time-out would have told itself
    )
    next_at = [stay.joined_at for stay in stays[1:]]
    return tuple(_visit(stay, at, context) for stay, at in zip_longest(stays, next_at))


def _keys(events: ByKind) -> list[tuple[int, str]]:
    keys = [event for event in events.of(DTMFEnd) if event.direction != "Sent"]
    in_queue = {event.uniqueid for event in events.in_order if isinstance(event, QueueEvent)} if keys else ()
    return [(event.at, event.digit) for event in keys if event.uniqueid in in_queue]


def _visit(stay: Stay, next_at: int | None, context: VisitContext) -> QueueVisit:
    """Give a visit as a value. `next_at` is when the next one began."""
    gave_up_at = _gave_up_at(stay, context)
    key = _key(stay, context.keys)
    end = _end(stay, key, context.over_at, gave_up=gave_up_at is not None)
    connected = end == "connected"
    return QueueVisit(
        stay.queue,
        stay.joined_at,
        stay.connected_at if connected else None,
        stay.agent if connected else None,
        _ended_at(stay, next_at or context.over_at, gave_up_at),
        end,
        key if end == "key" else None,
        end == "abandoned" and _ringing(stay, gave_up_at),
        stay.handed_on,
    )


def _gave_up_at(stay: Stay, context: VisitContext) -> int | None:
    """Give when the caller hung up, if that ended the wait: before the queue did, and before an agent was joined.

    Where an agent had answered, the caller's channel is gone at once then, and app_queue counts no second of talk.
    """
    if stay.connected_at is None:
        latest = (stay.abandoned_at or 0) + context.slack
        return max((at for at in context.asked_at if stay.joined_at - NEAR <= at <= latest), default=None)
    if not stay.timed or stay.talk_s or (context.over_at or 0) > stay.connected_at + NEAR:
        return None
    hung_up_at = min((at for at in context.asked_at if stay.joined_at <= at < stay.connected_at), default=None)
    met = hung_up_at is not None and any(stay.joined_at <= at <= hung_up_at for at in context.met_at)
    return None if met else hung_up_at


def _key(stay: Stay, keys: Sequence[tuple[int, str]]) -> str | None:
    left_at = stay.left_at
    if left_at is None or not keys:
        return None
    pressed = [
        digit
        for at, digit in keys
        if stay.joined_at <= at <= left_at + OVERTAKING and left_at <= at + KEY_BEFORE_LEAVING
    ]
    return pressed[-1] if pressed else None


def _end(stay: Stay, key: str | None, over_at: int | None, *, gave_up: bool) -> VisitEnd:
    """Name the end. The caller gave up only by hanging up before the queue ended the wait: else the queue did."""
    if stay.connected_at is not None:
        return "abandoned" if gave_up else "connected"
    if stay.status is not None:
        return stay.status
    if stay.abandoned_at is not None:
        return "abandoned" if gave_up else "unserved"
    if stay.left_at is not None:
        return "key" if key else "left"
    return "waiting" if over_at is None else "unknown"


def _ended_at(stay: Stay, over_at: int | None, gave_up_at: int | None) -> int | None:
    if stay.connected_at is not None:
        return gave_up_at or (over_at if stay.completed_at is None else stay.completed_at)
    known = [at for at in (stay.abandoned_at, stay.status_at, stay.left_at) if at is not None]
    return min(known) if known else over_at


def _ringing(stay: Stay, then: int | None) -> bool:
    """Tell whether a phone rang when the caller hung up."""
    return then is not None and any(at <= then <= stay.missed.get(leg, then) for leg, at in stay.rung.items())
