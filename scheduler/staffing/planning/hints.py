"""Hints for the supervisor: when a roster has fewer agents than needed, and when it has agents to spare."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scheduler.staffing.halfhours import WEEKDAYS, runs, span_text
from scheduler.staffing.planning.evidence import Evidence, evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from scheduler.staffing.planning.evidence import Replay


@dataclass(frozen=True, slots=True)
class Hint:
    """From half hour `first` to `last` of a weekday the roster lacks `more` agents; below 0: it has them to spare."""

    weekday: int
    first: int
    last: int
    more: int
    evidence: Evidence | None = None

    def __str__(self) -> str:
        """Write it, as in "09:00-10:00: +3" or "14:30-15:30: 2 to spare"."""
        span = span_text(self.first, self.last)
        return f"{span}: +{self.more}" if self.more > 0 else f"{span}: {-self.more} to spare"

    @property
    def half_hours(self) -> range:
        """Give the half hours of the hint."""
        return range(self.first, self.last + 1)


def hints(weekday: int, needed: Sequence[int], present: Sequence[int]) -> list[Hint]:
    """Compare a roster with the need, half hour by half hour; neighbours that lack the same are one hint."""
    more = [need - there for need, there in zip(needed, present, strict=True)]
    gaps = [number for number, lacking in enumerate(more) if lacking]
    return [Hint(weekday, first, last, more[first]) for first, last in runs(gaps, more.__getitem__)]


def proved(
    found: Iterable[Hint],
    present: Sequence[int],
    days: Sequence[date],
    replay: Replay,
    staff_of: Callable[[date], Sequence[int]] | None = None,
) -> list[Hint]:
    """Add the evidence to each hint that asks for more: past same weekdays, replayed with it alone and without.

    The days had the roster that stands, `present`, unless `staff_of` knows how many were really present.
    """
    return [
        replace(
            hint,
            evidence=evidence(replay, days, hint.half_hours, raised(hint, present), staff_of or (lambda _: present)),
        )
        if hint.more > 0 and days
        else hint
        for hint in found
    ]


def words(found: Sequence[Hint]) -> list[str]:
    """Say hints by weekday, as in "Tue 09:00-10:00: +3; 14:30-15:30: 2 to spare"."""
    return [
        f"{name} " + "; ".join(str(hint) for hint in found if hint.weekday == weekday)
        for weekday, name in enumerate(WEEKDAYS)
        if any(hint.weekday == weekday for hint in found)
    ]


def raised(hint: Hint, present: Sequence[int]) -> list[int]:
    """Give `present` with what a hint asks for."""
    return [there + hint.more * (number in hint.half_hours) for number, there in enumerate(present)]
