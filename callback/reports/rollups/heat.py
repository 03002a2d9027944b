"""When callers are lost: the figures of each half hour of each weekday."""

from __future__ import annotations

from collections import defaultdict
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from callback.reports.rollups import rolled
from callback.reports.rollups.counting import count
from callback.reports.rollups.figures import Figures, figures_of, together
from callback.site.work import Work
from callback.store import tables as t
from callback.store.tables.rollups import HEAT
from scheduler.staffing.halfhours import half_hour

_H = t.rollup_heat.c


def heat(work: Work, since: int, until: int, groups: frozenset[str] | None = None) -> dict[tuple[int, int], Figures]:
    """Give figures by weekday, Monday is 0, and half hour of the day, 0 to 47; where there are none, none.

    Only the figures of `HEAT` are given; the others are 0.
    """
    zone, covered = work.site.hours.zone, rolled.cover(work, since, until)
    query = select(_H.begins_at, *(func.sum(_H[name]) for name in HEAT)).group_by(_H.begins_at)
    query = query.where(_H.pbx == work.pbx, _H.begins_at >= covered.since, _H.begins_at < covered.live_from)
    if groups is not None:
        query = query.where(_H.queue_group.in_(groups))
    cells: defaultdict[tuple[int, int], list[Figures]] = defaultdict(list)
    for begins_at, *counts in work.connection.execute(query):
        shown = dict(zip(HEAT, map(int, counts), strict=True))
        cells[_cell(begins_at, zone)].append(figures_of(shown))
    if covered.live_from < covered.until:
        for of, counted in count(work, covered.live_from, covered.until).figures.items():
            if groups is None or of.queue_group in groups:
                cells[_cell(of.begins_at, zone)].append(figures_of({name: counted[name] for name in HEAT}))
    return {cell: together(several) for cell, several in sorted(cells.items())}


def _cell(begins_at: int, zone: ZoneInfo) -> tuple[int, int]:
    day, number = half_hour(begins_at, zone)
    return day.weekday(), number
