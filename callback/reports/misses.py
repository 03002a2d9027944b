"""The ledger of promises: every one that was broken, by name, with what it waited for, and what people did meanwhile.

A promise counts for the day on which it was made, as in the rates. Broken are those that `kept.Kept.missed` says.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, or_, select, tuple_

from callback.accounts.roles import Groups
from callback.reports.kept import CLOSED_AT, DIALLED_AT, INVALID, Kept, kept
from callback.reports.queue.waits import CAUSES as WORDS
from callback.reservations.waits import HALF_HOUR
from callback.site.work import Work
from callback.store import audit
from callback.store import tables as t
from scheduler.clock import DAY, MINUTE, SECOND
from scheduler.promise import EVENING

UNSEEN: Final = "unseen"
"""The cause where nobody looked: the service did not run, or there were too many to look at all."""
CAUSES: Final = (*WORDS, UNSEEN)
MOVES: Final = ("held", "resumed", "call-now", "slot", "postpone", "assign", "release", "undone")
"""What people do that moves a callback."""
LEVERS: Final = ("withdrawn", "cancelled", "done-elsewhere")
"""What people do that takes a promise out of the rates, or closes it without a call."""
_EARLIER: Final = 31 * DAY
_UNSEEN_LEAST: Final = MINUTE  # the looks are apart, and claims are short: less than that is no gap
_R, _P, _W, _C, _U = t.reservation.c, t.promise.c, t.wait_cause.c, t.crew.c, t.audit.c
_CAUSE: Final = func.coalesce(
    select(_W.word).where(_W.reservation_id == _R.id).order_by(_W.seconds.desc(), _W.word).limit(1).scalar_subquery(),
    UNSEEN,
)
_EVENING: Final = exists().where(_P.reservation_id == _R.id, _P.number == 1, _P.reason == EVENING)
_TOLD_APART: Final = ("queue", "queue_group", "kind", "trunk", "cause")
_ITS: Final = (_R.queue, _R.queue_group, _R.kind, _R.trunk, _CAUSE.label("cause"))
_WAITS = (
    select(_W.reservation_id, _W.word, _W.seconds)
    .where(_W.reservation_id.in_(bindparam("ids", expanding=True)))
    .order_by(_W.first_at, _W.word)
)
_MOVED = (
    select(_U.reservation_id, _U.who, _U.action, _U.at)
    .where(_U.reservation_id.in_(bindparam("ids", expanding=True)), _U.action.in_(MOVES))
    .where(_U.who.not_in((audit.CUSTOMER, audit.SERVICE)))
    .order_by(_U.id)
)
_ROWS = select(_R.id, _R.made_at, _R.state_since_at, _R.kind, _R.trunk, _R.open, t.person.c.number).join(t.person)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which misses: of promises made from `since_at` until before `until_at`; "" and None leave none out."""

    since_at: int
    until_at: int
    groups: Groups = None
    queue: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the ledger ends."""

    made_at: int
    reservation: int


@dataclass(frozen=True, slots=True)
class Wait:
    """So long it waited for what the word says."""

    word: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Move:
    """What a person did that moved it."""

    who: str
    action: str
    at: int


@dataclass(frozen=True, slots=True)
class Miss:
    """One broken promise; instants in microseconds UTC.

    `late_s` is until the customer was first dialled, the reservation closed, or now. `waits` are in the order in which
    they began; `cause` is the longest. `agents` were seen at work in its queue between the promise and its end.
    """

    reservation: int
    number: str
    queue: str
    group: str
    kind: str
    trunk: str
    state: str
    reason: str
    made_at: int
    clock_starts_at: int
    aim_at: int
    deadline_at: int
    dialled_at: int | None
    reached_at: int | None
    late_s: int
    cause: str
    waits: tuple[Wait, ...]
    agents: tuple[str, ...]
    moves: tuple[Move, ...]

    @property
    def first_cause(self) -> str:
        """What it waited for first."""
        return self.waits[0].word if self.waits else UNSEEN


@dataclass(frozen=True, slots=True)
class Page:
    """Some misses, the newest promise first. `after` is where the next page begins; None: it is the last."""

    rows: tuple[Miss, ...]
    after: Place | None


@dataclass(frozen=True, slots=True)
class Cell:
    """So many misses that are alike in all of this."""

    queue: str
    group: str
    kind: str
    trunk: str
    cause: str
    many: int


@dataclass(frozen=True, slots=True)
class Pulled:
    """How often a person did something that changes what the rates count."""

    action: str
    who: str
    many: int


def page(work: Work, asked: Asked, most: int = 100, after: Place | None = None) -> Page:
    """Give the next rows of the ledger."""
    found: list[Kept] = []
    places: dict[int, Place] = {}
    while len(found) <= most:
        some = _candidates(work, asked, most + 1, after)
        places |= {one.reservation: one for one in some}
        broken = {one.reservation: one for one in _broken(work, _R.id.in_([one.reservation for one in some]))}
        found += [broken[one.reservation] for one in some if one.reservation in broken]
        if len(some) <= most:
            break
        after = some[-1]
    shown = found[:most]
    last = places[shown[-1].reservation] if len(found) > most else None
    return Page(tuple(_misses(work, shown)), last)


def counts(work: Work, asked: Asked) -> list[Cell]:
    """Count the misses, by all that they are told apart by."""
    of_pbx = (_R.pbx == work.pbx, *_which(asked))
    # Of nearly all there is one promise, and it counts: the database counts those. An evening's is not broken undone.
    one = (_R.promise_number <= 1, _over(work.now), or_(DIALLED_AT.is_not(None), CLOSED_AT.is_not(None), ~_EVENING))
    many = Counter[tuple[str, str, str, str, str]]()
    alike = select(*_ITS, func.count()).where(*of_pbx, *one).group_by(*_TOLD_APART)
    for queue, group, kind, trunk, cause, some in work.connection.execute(alike):
        many[queue, group, kind, trunk, cause] += some
    several = (*of_pbx, _R.promise_number > 1)
    broken = {each.reservation for each in _broken(work, *several)}
    for number, queue, group, kind, trunk, cause in work.connection.execute(select(_R.id, *_ITS).where(*several)):
        many[queue, group, kind, trunk, cause] += number in broken
    return [Cell(*its, some) for its, some in sorted(many.items()) if some]


def levers(work: Work, asked: Asked) -> list[Pulled]:
    """What people did to promises in that time, by name, where it still holds: the customers' own wishes are none."""
    which: list[ColumnElement[bool]] = [] if asked.groups is None else [_R.queue_group.in_(sorted(asked.groups))]
    which += [_R.queue == asked.queue] if asked.queue else []
    rows = (
        select(_U.action, _U.who, func.count(_U.reservation_id.distinct()))
        .join_from(t.audit, t.reservation, _R.id == _U.reservation_id)
        .where(_U.pbx == work.pbx, _U.at >= asked.since_at, _U.at < asked.until_at, _U.action.in_(LEVERS))
        .where(_R.state == _U.action, _U.who.not_in((audit.CUSTOMER, audit.SERVICE)), *which)
        .group_by(_U.action, _U.who)
        .order_by(_U.action, _U.who)
    )
    return [Pulled(*row) for row in work.connection.execute(rows)]


def last_before(work: Work, asked: Asked) -> int | None:
    """When the last promise that was broken was made, of those before that time; None: none was, in a month."""
    earlier = Asked(asked.since_at - _EARLIER, asked.since_at, asked.groups, asked.queue, asked.cause)
    rows = page(work, earlier, 1).rows
    return rows[0].made_at if rows else None


def _which(asked: Asked) -> list[ColumnElement[bool]]:
    """Conditions on `reservation`, of which an index has all that matter."""
    which: list[Any] = [
        t.MISSABLE,
        t.LOST_ONLY,
        _R.made_at >= asked.since_at,
        _R.made_at < asked.until_at,
        _R.state.not_in(sorted(INVALID)),
    ]
    which += [] if asked.groups is None else [_R.queue_group.in_(sorted(asked.groups))]
    which += [_R.queue == asked.queue] if asked.queue else []
    which += [asked.cause == _CAUSE] if asked.cause else []
    return which


def _over(now: int) -> ColumnElement[bool]:
    """What is missed, and little beside: which of several promises counts is not said here."""
    passed = and_(
        _R.deadline_at < now,
        or_(CLOSED_AT.is_(None), _R.deadline_at < CLOSED_AT),
        or_(DIALLED_AT.is_(None), _R.deadline_at < DIALLED_AT),
    )
    return or_(_R.promise_number > 1, passed)


def _candidates(work: Work, asked: Asked, most: int, after: Place | None) -> list[Place]:
    """The next reservations that may have been missed."""
    on = [] if after is None else [tuple_(_R.made_at, _R.id) < (after.made_at, after.reservation)]
    wanted = select(_R.made_at, _R.id).where(_R.pbx == work.pbx, *_which(asked), _over(work.now), *on)
    wanted = wanted.order_by(_R.made_at.desc(), _R.id.desc()).limit(most)
    return [Place(*row) for row in work.connection.execute(wanted)]


def _broken(work: Work, *which: ColumnElement[bool]) -> list[Kept]:
    ones = kept(work.connection, _R.pbx == work.pbx, *which, _over(work.now))
    return [one for one in ones if one.missed(work.now)]


def _misses(work: Work, found: Sequence[Kept]) -> list[Miss]:
    """Make rows of them: all that belongs to them is read in one go."""
    if not found:
        return []
    ids = [one.reservation for one in found]
    waits: defaultdict[int, list[Wait]] = defaultdict(list)
    for row in work.connection.execute(_WAITS, {"ids": ids}):
        waits[row.reservation_id].append(Wait(row.word, row.seconds))
    moves: defaultdict[int, list[Move]] = defaultdict(list)
    for reservation, *move in work.connection.execute(_MOVED, {"ids": ids}):
        moves[reservation].append(Move(*move))
    rows = {row.id: row for row in work.connection.execute(_ROWS.where(_R.id.in_(ids)))}
    crews = _crews(work, found)
    return [
        _miss(work, one, rows[one.reservation], waits[one.reservation])(
            agents=_at_work(one, crews), moves=tuple(moves[one.reservation])
        )
        for one in found
    ]


def _miss(work: Work, one: Kept, row: Any, waits: Sequence[Wait]) -> Callable[..., Miss]:  # noqa: ANN401 - of a join
    """A row that is still to be told who was there."""
    ended_at = _ended_at(one, row, work.now)
    longest = min(waits, key=lambda wait: (-wait.seconds, wait.word), default=Wait(UNSEEN, 0))
    return partial(
        Miss,
        reservation=one.reservation,
        number=row.number,
        queue=one.queue,
        group=one.group,
        kind=row.kind,
        trunk=row.trunk,
        state=one.state,
        reason=one.promise.reason,
        made_at=row.made_at,
        clock_starts_at=one.promise.clock_starts_at,
        aim_at=one.promise.aim_at,
        deadline_at=one.promise.deadline_at,
        dialled_at=one.dialled_at,
        reached_at=one.reached_at,
        late_s=(ended_at - one.promise.deadline_at) // SECOND,
        cause=longest.word,
        waits=_with_unseen(waits, one, ended_at),
    )


def _ended_at(one: Kept, row: Any, now: int) -> int:  # noqa: ANN401 - as above
    """When it was over: dialled, closed, or given up; else now."""
    done = [at for at in (one.dialled_at, one.closed_at) if at is not None]
    given_up_at = now if row.open else int(row.state_since_at)
    return min(done, default=given_up_at)


def _with_unseen(waits: Sequence[Wait], one: Kept, ended_at: int) -> tuple[Wait, ...]:
    """The same, and so long nobody looked."""
    unseen_s = (ended_at - one.promise.clock_starts_at) // SECOND - sum(wait.seconds for wait in waits)
    return (*waits, Wait(UNSEEN, unseen_s)) if unseen_s * SECOND >= _UNSEEN_LEAST else tuple(waits)


def _crews(work: Work, found: Sequence[Kept]) -> Mapping[tuple[str, int], Sequence[str]]:
    """Who was seen at work, by queue and half hour."""
    since_at = min(one.promise.clock_starts_at for one in found) // HALF_HOUR * HALF_HOUR
    until_at = max(one.promise.deadline_at for one in found)
    rows = select(_C.queue, _C.half_hour_at, _C.agents).where(
        _C.pbx == work.pbx,
        _C.queue.in_(sorted({one.queue for one in found})),
        _C.half_hour_at.between(since_at, until_at),
    )
    return {(row.queue, row.half_hour_at): row.agents for row in work.connection.execute(rows)}


def _at_work(one: Kept, crews: Mapping[tuple[str, int], Sequence[str]]) -> tuple[str, ...]:
    first = one.promise.clock_starts_at // HALF_HOUR * HALF_HOUR
    times = range(first, one.promise.deadline_at + 1, HALF_HOUR)
    return tuple(sorted({agent for at in times for agent in crews.get((one.queue, at), ())}))
