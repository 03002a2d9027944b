"""Days on the site's clock, as pages are asked for them: 2026-11-24."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from callback.errors import CallbackError
from callback.reports.queue.closed import Span
from callback.site.work import Work
from scheduler.clock import begins, local

_EARLIEST: Final = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Day:
    """A day, the days beside it, and from when until when it lasts; `after` is None where it is still to come."""

    day: date
    before: date
    after: date | None
    span: Span


def asked_for(said: str, now: int, zone: ZoneInfo) -> Day:
    """Give the day of that date, else today. CallbackError where it is no date."""
    today = local(now, zone).date()
    try:
        day = date.fromisoformat(said) if said else today
    except ValueError as error:
        raise CallbackError("a day is written as 2026-11-24") from error
    day = min(max(day, _EARLIEST), today)
    one = timedelta(days=1)
    return Day(day, day - one, day + one if day < today else None, _span(day, zone))


def today(work: Work) -> Span:
    """From the beginning of today until tomorrow."""
    zone = work.site.hours.zone
    return _span(local(work.now, zone).date(), zone)


def _span(day: date, zone: ZoneInfo) -> Span:
    return Span(begins(day, zone), begins(day + timedelta(days=1), zone))
