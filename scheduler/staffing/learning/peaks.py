"""Peaks: half hours of a weekday in which reliably more callers are lost than in the day as a whole.

Found by a statistical test. For each weekday and half hour the losses of all its days are held against
`factor` times the mean half hour of that weekday while calls come. Losses are clustered (a bad hour loses many at
once), so the Poisson chance is taken of counts and means divided by the dispersion that the weekday's own days show
(quasi-Poisson). As there are hundreds of half hours, some would stand out by chance: Benjamini and Hochberg's step-up
(1995) keeps the expected share of false peaks among those told at `false_share` or less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scheduler.staffing import distributions
from scheduler.staffing.halfhours import A_DAY, WEEKDAYS, Day, runs, span_text

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from datetime import date

    from scheduler.staffing.learning.fresh import Fresh

FACTOR = 1.25
FALSE_SHARE = 0.05
SURE = 0.8
LEAST_DAYS = 2


@dataclass(frozen=True, slots=True)
class Cell:
    """One half hour of one weekday on the heat map.

    `losses` and `calls` are means over `days` days; `day_losses` is the weekday's mean half hour; losses scatter
    `dispersion` times as much as chance would have it; `chance` is how often chance alone would bring as many.
    `peak`: it stands out.
    """

    weekday: int
    half_hour: int
    days: int
    calls: float
    losses: float
    day_losses: float
    dispersion: float
    chance: float
    peak: bool = False

    @property
    def at_least(self) -> float:
        """Give the lower 80% bound of the losses."""
        return self.dispersion * distributions.lowest_mean(self.losses * self.days / self.dispersion, SURE) / self.days


def heat_map(
    demand: Fresh, factor: float = FACTOR, false_share: float = FALSE_SHARE, holidays: Container[date] = frozenset()
) -> list[Cell]:
    """Give every half hour in which calls came, by weekday and time, with the peaks marked.

    A weekday of a single day has no peaks: one day says nothing reliable.
    """
    cells = []
    for weekday in range(len(WEEKDAYS)):
        days = [day for day in demand.calls if day.weekday() == weekday and day not in holidays]
        if days:
            cells += _cells(weekday, [demand.calls[day] for day in days], [demand.losses[day] for day in days], factor)
    told = _standing_out([cell.chance for cell in cells], false_share)
    return [_marked(cell, peak=cell.chance <= told and cell.days >= LEAST_DAYS) for cell in cells]


def words(cells: Sequence[Cell]) -> list[str]:
    """Say the peaks, as in "Tue 09:00-10:30: 4.1 lost in a half hour, 2.3 times the day's (8 Tue)"."""
    lines = []
    for weekday, name in enumerate(WEEKDAYS):
        peaks = {cell.half_hour: cell for cell in cells if cell.weekday == weekday and cell.peak}
        for first, last in runs(peaks):
            run = [peaks[number] for number in range(first, last + 1)]
            losses = math.fsum(cell.losses for cell in run) / len(run)
            times = losses / run[0].day_losses
            lines.append(
                f"{name} {span_text(first, last)}: {losses:.1f} lost in a half hour, "
                f"{times:.1f} times the day's ({run[0].days} {name})"
            )
    return lines


def _cells(weekday: int, calls: Sequence[Day], losses: Sequence[Day], factor: float) -> list[Cell]:
    open_numbers = [number for number in range(A_DAY) if any(day[number] for day in calls)]
    table = [[day[number] for number in open_numbers] for day in losses]
    wide, days = dispersion(table), len(calls)
    day_losses = math.fsum(map(math.fsum, table)) / days / len(open_numbers)
    return [
        Cell(
            weekday,
            number,
            days,
            math.fsum(day[number] for day in calls) / days,
            lost / days,
            day_losses,
            wide,
            distributions.at_least(lost / wide, factor * day_losses * days / wide) if lost else 1.0,
        )
        for number, lost in ((number, math.fsum(day[number] for day in losses)) for number in open_numbers)
    ]


def dispersion(table: Sequence[Sequence[float]]) -> float:
    """Give by how much counts scatter more than chance (Pearson's chi square over its degrees of freedom), at least 1.

    Rows are days, columns half hours; what is expected of a cell follows from its day's and its half hour's sums.
    """
    rows, columns = [math.fsum(row) for row in table], [math.fsum(column) for column in zip(*table, strict=True)]
    total = math.fsum(rows)
    freedom = (sum(map(bool, rows)) - 1) * (sum(map(bool, columns)) - 1)
    if not total or freedom < 1:
        return 1.0
    square = math.fsum(
        (count - rows[i] * columns[j] / total) ** 2 / (rows[i] * columns[j] / total)
        for i, row in enumerate(table)
        for j, count in enumerate(row)
        if rows[i] and columns[j]
    )
    return max(1.0, square / freedom)


def _standing_out(chances: Sequence[float], false_share: float) -> float:
    """Give the largest chance that is still told (Benjamini and Hochberg), or less than any if none is."""
    ranked = enumerate(sorted(chances), start=1)
    return max((value for rank, value in ranked if value <= false_share * rank / len(chances)), default=-1.0)


def _marked(cell: Cell, *, peak: bool) -> Cell:
    return replace(cell, peak=True) if peak else cell
