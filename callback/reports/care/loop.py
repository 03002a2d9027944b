"""From lost calls to complaints, and back: who was lost again and again, who of them complained, who was lost after it.

A customer is counted once for each pattern, at the first moment in the time at which it was complete: any lost call,
three lost calls within a week, silence twice within a week. Who complained within so many days after that moment is
told of those alone for whom these days are over. The other way: customers who complained in the time, and of them
those who were lost again within as many days. It shows what goes together, and proves no cause.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, exists, func, literal, select

from callback.reports.care.figures import share
from callback.reports.care.within import Within
from callback.site.groups import of_groups
from callback.site.work import Work
from callback.store import tables as t
from scheduler.clock import DAY

Pattern = Literal["lost", "three-in-a-week", "silent-twice"]
PATTERNS: Final[tuple[Pattern, ...]] = get_args(Pattern)
AFTER_DAYS: Final = 14
WEEK: Final = 7 * DAY
_LONGEST: Final = DAY
"""A call that is lost began at most so much earlier: calls are found by when they began."""
_C, _L, _K, _V = t.call.c, t.loss.c, t.care_case.c, t.verdict.c
_PLACE: Final[Mapping[Pattern, int]] = {"lost": 0, "three-in-a-week": 2, "silent-twice": 1}


@dataclass(frozen=True, slots=True)
class Met:
    """Customers who met a pattern: how many, for how many the days after are over, and who of these complained."""

    pattern: Pattern
    customers: int
    over: int
    complained: int

    @property
    def rate(self) -> float | None:
        """The share that complained."""
        return share(self.complained, self.over)


@dataclass(frozen=True, slots=True)
class Loop:
    """Both ways. `complainers` are those for whom the days after are over, `lost_again` those of them who were lost."""

    after_days: int
    met: tuple[Met, ...]
    complainers: int
    lost_again: int


def loop(work: Work, within: Within, after_days: int = AFTER_DAYS) -> Loop:
    """Count both ways."""
    after = after_days * DAY
    met = tuple(_met(work, within, pattern, after) for pattern in PATTERNS)
    return Loop(after_days, met, *_back(work, within, after))


def _losses(work: Work, within: Within, *, silent: bool) -> Subquery:
    """Lost calls of known customers in the time and a week before it, by when they were lost."""
    of_time = (_C.started_at >= within.since_at - WEEK - _LONGEST, _C.started_at < within.until_at)
    ours = func.coalesce(_C.pbx, "") == work.pbx  # as it is, SQLite would take the primary key: all years of the PBX
    wanted = (
        select(_C.person_id, _L.lost_at, _C.call_id)
        .join(t.loss, and_(_L.pbx == _C.pbx, _L.call_id == _C.call_id))
        .where(*of_time, ours, _C.person_id.is_not(None), _L.lost_at < within.until_at)
        .where(of_groups(work.site, _C.queue, within.groups))
    )
    if silent:
        newer = t.verdict.alias()
        last = select(func.max(newer.c.version)).where(newer.c.pbx == _C.pbx, newer.c.call_id == _C.call_id)
        judged = and_(_V.pbx == _C.pbx, _V.call_id == _C.call_id, _V.version == last.scalar_subquery())
        wanted = wanted.join(t.verdict, judged).where(_V.kind == "silent")
    return wanted.subquery()


def _met(work: Work, within: Within, pattern: Pattern, after: int) -> Met:
    lost = _losses(work, within, silent=pattern == "silent-twice")
    place = _PLACE[pattern]
    in_order = (lost.c.lost_at, lost.c.call_id)
    begun = func.lag(lost.c.lost_at, place).over(partition_by=lost.c.person_id, order_by=in_order)
    runs = select(lost.c.person_id, lost.c.lost_at, begun.label("begun_at")).subquery()
    complete = and_(runs.c.lost_at >= within.since_at, runs.c.lost_at - runs.c.begun_at <= WEEK)
    first = select(runs.c.person_id, func.min(runs.c.lost_at).label("at")).where(complete).group_by(runs.c.person_id)
    who = first.subquery()
    complained = exists().where(
        *(_K.person_id == who.c.person_id, _K.pbx == work.pbx, _K.kind == "complaint"),
        *(_K.opened_at > who.c.at, _K.opened_at <= who.c.at + after),
    )
    return Met(pattern, *_counted(work, who, complained, after))


def _back(work: Work, within: Within, after: int) -> tuple[int, int]:
    """Those who complained, at their first complaint in the time, and who of them was lost after it."""
    of_time = (_K.pbx == work.pbx, _K.opened_at >= within.since_at, _K.opened_at < within.until_at)
    theirs = (*of_time, _K.kind == "complaint", of_groups(work.site, _K.queue, within.groups))
    who = select(_K.person_id, func.min(_K.opened_at).label("at")).where(*theirs).group_by(_K.person_id).subquery()
    lost = exists().where(
        *(_C.person_id == who.c.person_id, _C.pbx == work.pbx, _L.pbx == _C.pbx, _L.call_id == _C.call_id),
        *(_L.lost_at > who.c.at, _L.lost_at <= who.c.at + after),
    )
    _, over, again = _counted(work, who, lost, after)
    return over, again


def _counted(work: Work, who: Subquery, followed: ColumnElement[bool], after: int) -> tuple[int, int, int]:
    over = who.c.at + after <= literal(work.now)
    flagged: Select[Any] = select(
        case((over, 1), else_=0).label("over"), case((and_(over, followed), 1), else_=0).label("followed")
    ).select_from(who)
    each = flagged.subquery()
    sums = (func.count(), func.coalesce(func.sum(each.c.over), 0), func.coalesce(func.sum(each.c.followed), 0))
    customers, ended, did = work.connection.execute(select(*sums).select_from(each)).one()
    return int(customers), int(ended), int(did)
