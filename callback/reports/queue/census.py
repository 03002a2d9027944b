"""How many are open, by all that the queue is filtered by: read once, and counted for any filter from that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, and_, bindparam, func, select

from callback.reports.queue.lanes import LANE_OF, LANES, OF_OPEN, moment
from callback.reports.queue.wanted import NOW, Wanted, conditions
from callback.site.work import Work
from callback.store import tables as t
from scheduler.clock import HOUR, MINUTE

SOON_MIN: Final = 15
_R = t.reservation.c
_IN_SQL: Final = frozenset({"texts", "ids"})
"""Filters by which the census is not divided: with them it is read anew."""


class Cell(NamedTuple):
    """Open reservations that are alike in all that is counted; `incident` None: none holds them."""

    lane: str
    state: str
    group: str
    queue: str
    kind: str
    tries: int
    whose: str | None
    incident: int | None
    overdue: bool
    soon: bool  # the deadline lies within SOON_MIN
    within_hour: bool  # of those that wait for their time: it comes within an hour
    many: int


_CELL: Final = (
    LANE_OF.label("lane"),
    _R.state,
    _R.queue_group,
    _R.queue,
    _R.kind,
    _R.tries,
    _R.assigned_to,
    _R.incident_id,
    (_R.deadline_at < NOW).label("overdue"),
    _R.deadline_at.between(NOW, bindparam("soon_until")).label("soon"),
    and_(LANE_OF == "later", _R.not_before_at <= bindparam("hour_until")).label("within_hour"),
)
_ALL: Select[Any] = (
    select(*_CELL, func.count())
    .where(t.OPEN, _R.pbx == bindparam("of_pbx"), OF_OPEN)
    .group_by(*(column.name for column in _CELL))  # by name: PostgreSQL cannot tell that two parameters are one
)
_SOME: Final[Mapping[tuple[str, ...], Select[Any]]] = {
    names: _ALL.where(*conditions(names)) for names in (("texts",), ("ids",), ("texts", "ids"))
}


@dataclass(frozen=True, slots=True)
class Counts:
    """How many are open, of those wanted; `by_lane` has every lane."""

    every: int
    by_lane: Mapping[str, int]
    overdue: int
    soon: int
    within_hour: int
    in_incident: int


@dataclass(frozen=True, slots=True)
class Census:
    """The open reservations of a PBX, counted."""

    cells: tuple[Cell, ...]

    def counts(self, wanted: Wanted) -> Counts:
        """Count those wanted. `texts`, `ids` and `why` are not looked at here (`take` asks for the first two)."""
        cells = [cell for cell in self.cells if _is_wanted(cell, wanted)]
        by_lane = Counter[str]()
        for cell in cells:
            by_lane[cell.lane] += cell.many
        return Counts(
            every=sum(cell.many for cell in cells),
            by_lane={lane: by_lane[lane] for lane in LANES},
            overdue=_many(cells, lambda cell: cell.overdue),
            soon=_many(cells, lambda cell: cell.soon),
            within_hour=_many(cells, lambda cell: cell.within_hour),
            in_incident=_many(cells, lambda cell: cell.state == "held" and cell.incident is not None),
        )

    def choices(self, of: str, groups: frozenset[str] | None) -> dict[Any, int]:
        """Give the values that a filter can have, for a viewer of these groups, and how many each would show.

        `of` is a field of Cell: queue, kind, state, tries, whose or incident.
        """
        found = Counter[Any]()
        for cell in self.cells:
            if groups is None or cell.group in groups:
                found[getattr(cell, of)] += cell.many
        return dict(sorted(found.items(), key=lambda item: (item[0] is None, item[0])))


def take(work: Work, wanted: Wanted | None = None) -> Census:
    """Count what is open now; where `wanted` asks for texts or numbers of reservations, of those alone."""
    names = tuple(name for name in wanted.asked if name in _IN_SQL) if wanted is not None else ()
    statement = _SOME[names] if names else _ALL
    until = {"soon_until": work.now + SOON_MIN * MINUTE, "hour_until": work.now + HOUR}
    asked = {**moment(work), **until, **(wanted.parameters() if wanted is not None else {})}
    rows = work.connection.execute(statement, asked)
    return Census(tuple(Cell._make((*row[:8], *map(bool, row[8:11]), row[11])) for row in rows))


def _is_wanted(cell: Cell, wanted: Wanted) -> bool:
    asked: tuple[tuple[frozenset[Any] | None, Any], ...] = (
        (wanted.queues, cell.queue),
        (wanted.kinds, cell.kind),
        (wanted.states, cell.state),
        (wanted.tries, cell.tries),
        (wanted.whose, cell.whose or ""),
        (wanted.incidents, cell.incident),
    )
    seen = wanted.groups is None or cell.group in wanted.groups
    return seen and (cell.overdue or not wanted.overdue) and all(value in some for some, value in asked if some)


def _many(cells: Iterable[Cell], which: Callable[[Cell], bool]) -> int:
    return sum(cell.many for cell in cells if which(cell))
