"""Calls that nobody waits for are spread over the hours in which phones may ring, so that they crowd out no others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from scheduler.clock import local
from scheduler.errors import SchedulerError
from scheduler.hours import Hours


def spread(hours: Hours, since: int, many: int, days: int) -> list[int]:
    """Give so many instants, equally far apart within the hours of the next `days` days on which phones may ring.

    The first day is the one of `since`, where phones may ring on it still. SchedulerError where they never may.
    """
    stretches = list(_stretches(hours, since, days))
    whole = sum(end - start for start, end in stretches)
    return [_at(stretches, whole * (2 * number + 1) // (2 * many)) for number in range(many)]


def _stretches(hours: Hours, since: int, days: int) -> Iterator[tuple[int, int]]:
    seen, at = set[date](), since
    while True:
        try:
            start, end = hours.stretch(at)
        except SchedulerError:
            if not seen:
                raise
            return  # it opens for fewer days than that
        day = local(start, hours.zone).date()
        if day not in seen and len(seen) == days:
            return
        seen.add(day)
        yield start, end
        at = end


def _at(stretches: list[tuple[int, int]], passed: int) -> int:
    """The instant at which so much of these stretches has passed."""
    for start, end in stretches:
        if passed < end - start:
            return start + passed
        passed -= end - start
    return stretches[-1][1] - 1
