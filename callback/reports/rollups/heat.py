"""When callers are lost: the figures of each half hour of each weekday."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from callback.reports.rollups import rolled
from callback.reports.rollups.figures import Figures, figures_of
from callback.reports.rollups.rolled import Reading
from callback.site.work import Work
from callback.store import tables as t
from callback.store.tables.rollups import HEAT
from scheduler.staffing.halfhours import half_hour

_H = t.rollup_heat.c


def heat(work: Work, since: int, until: int, groups: frozenset[str] | None = None) -> dict[tuple[int, int], Figures]:
    """Give figures by weekday, Monday is 0, and half hour of the day, 0 to 47; where there are none, none.

    Only the figures of `HEAT` are given; the others are 0.
    """
    return heat_in(rolled.reading(work, since, until), groups)


def heat_in(read: Reading, groups: frozenset[str] | None = None) -> dict[tuple[int, int], Figures]:
    """Give the same of the time that is read."""
    work, covered, zone = read.work, read.covered, read.work.site.hours.zone
    query = select(_H.begins_at, *(func.sum(_H[name]) for name in HEAT)).group_by(_H.begins_at)
    query = query.where(_H.pbx == work.pbx, _H.begins_at >= covered.since, _H.begins_at < covered.live_from)
    if groups is not None:
        query = query.where(_H.queue_group.in_(groups))
    cells: defaultdict[tuple[int, int], list[Sequence[int]]] = defaultdict(list)
    for begins_at, *counts in work.connection.execute(query):
        cells[_cell(begins_at, zone)].append(counts)
    for of, counted in read.rest.figures.items():
        if groups is None or of.queue_group in groups:
            cells[_cell(of.begins_at, zone)].append([counted[name] for name in HEAT])
    return {cell: _summed(several) for cell, several in sorted(cells.items())}


def _summed(several: Sequence[Sequence[int]]) -> Figures:
    sums = (int(sum(counts)) for counts in zip(*several, strict=True))
    return figures_of(dict(zip(HEAT, sums, strict=True)))


def _cell(begins_at: int, zone: ZoneInfo) -> tuple[int, int]:
    day, number = half_hour(begins_at, zone)
    return day.weekday(), number
