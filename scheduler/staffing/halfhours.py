"""Half hours of a day on a site's wall clock: which one an instant falls into, and how they are written."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from scheduler.clock import MINUTE, local

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from zoneinfo import ZoneInfo

HALF_HOUR_S = 1800
A_DAY = 48
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_QUARTER = 15 * MINUTE

Day = tuple[float, ...]
"""Something counted in each of a day's 48 half hours."""


def half_hour(at: int, zone: ZoneInfo) -> tuple[date, int]:
    """Say on which day and in which half hour of it, 0 to 47, the clock of `zone` shows the instant `at`.

    A half hour that the clock shows twice is one; one that it jumps over stays empty.
    """
    return _quarter(at // _QUARTER, zone)


@lru_cache(maxsize=1 << 14)
def _quarter(number: int, zone: ZoneInfo) -> tuple[date, int]:
    """Say the same of a quarter of an hour: in this century all clocks stand whole quarters apart."""
    wall = local(number * _QUARTER, zone)
    return wall.date(), wall.hour * 2 + wall.minute // 30


def counted(marks: Iterable[tuple[date, int]]) -> dict[date, Day]:
    """Count what fell into each half hour, for every day on which anything did."""
    counts: dict[date, list[float]] = {}
    for day, number in marks:
        counts.setdefault(day, [0.0] * A_DAY)[number] += 1
    return {day: tuple(row) for day, row in sorted(counts.items())}


def span_text(first: int, last: int) -> str:
    """Write the half hours `first` to `last`, both included, as in 09:00-10:30."""
    return f"{clock_time(first)}-{clock_time(last + 1)}"


def clock_time(number: int) -> str:
    """Say when half hour `number` begins, as in 09:30."""
    return f"{number // 2:02d}:{number % 2 * 30:02d}"


def runs(numbers: Iterable[int], alike: Callable[[int], object] = lambda _: None) -> Iterator[tuple[int, int]]:
    """Join neighbouring half hours that are `alike`: first and last of each run."""
    places = enumerate(sorted(numbers))
    for _, group in groupby(places, key=lambda place: (place[1] - place[0], alike(place[1]))):
        members = [number for _, number in group]
        yield members[0], members[-1]
