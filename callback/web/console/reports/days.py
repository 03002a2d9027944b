"""From which day to which a report is asked for, on the site's clock, as its address says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from callback.errors import CallbackError
from scheduler.clock import begins, local

MOST_DAYS: Final = 366
_EARLIEST: Final = date(2000, 1, 1)
_ONE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Days:
    """Whole days, the last one included."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def since_at(self) -> int:
        """When the first day begins."""
        return begins(self.first, self.zone)

    @property
    def until_at(self) -> int:
        """When the last day is over."""
        return begins(self.last + _ONE, self.zone)


def day_of(said: str, otherwise: date) -> date:
    """Give the day of that date. CallbackError where it is no date."""
    try:
        return date.fromisoformat(said) if said else otherwise
    except ValueError as error:
        raise CallbackError("a day is written as 2026-11-24") from error


def asked_for(since: str, until: str, now: int, zone: ZoneInfo, usual: int) -> Days:
    """Give the days from one date to another, else the last ones until today. CallbackError where they are none."""
    today = local(now, zone).date()
    last = min(max(day_of(until, today), _EARLIEST), today)
    first = max(day_of(since, max(last - (usual - 1) * _ONE, _EARLIEST)), _EARLIEST)
    return checked(first, last, zone)


def checked(first: date, last: date, zone: ZoneInfo) -> Days:
    """Give these days. CallbackError where they are none, or too many."""
    if first > last:
        raise CallbackError("the first day lies after the last one")
    if (last - first).days >= MOST_DAYS:
        raise CallbackError(f"a report is of at most {MOST_DAYS} days")
    return Days(first, last, zone)
