"""Half hours, days, weeks and months as the clock of a site shows them: where each begins."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

from scheduler.clock import HOUR, MINUTE, begins, local

By = Literal["whole", "month", "week", "day", "hour", "half-hour"]
HALF_HOUR: Final = 30 * MINUTE
_QUARTER: Final = 15 * MINUTE
_LENGTHS: Final = {"hour": HOUR, "half-hour": HALF_HOUR}


def half_hour_begins(at: int, zone: ZoneInfo) -> int:
    """Find when the half hour around an instant began; in some zones those stand a quarter off the others'."""
    return _floor(at, HALF_HOUR, zone)


def day_begins(at: int, zone: ZoneInfo) -> int:
    """Find when the day around an instant began."""
    return begins(local(at, zone).date(), zone)


def next_day(at: int, zone: ZoneInfo) -> int:
    """Find when the day after the one around an instant begins."""
    return begins(local(at, zone).date() + timedelta(days=1), zone)


def spans(since: int, until: int, by: By, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
    """Divide the time between two instants; the first and the last span may be cut short."""
    at = since
    while at < until:
        following = min(_ends(at, by, until, zone), until)
        yield at, following
        at = following


def _ends(at: int, by: By, until: int, zone: ZoneInfo) -> int:
    if by == "whole":
        return until
    if by in _LENGTHS:
        return _floor(at, _LENGTHS[by], zone) + _LENGTHS[by]
    return begins(_next(local(at, zone).date(), by), zone)


def _next(day: date, by: By) -> date:
    if by == "month":
        return (day.replace(day=1) + timedelta(days=31)).replace(day=1)
    return day + timedelta(days=7 - day.weekday() if by == "week" else 1)


def _floor(at: int, length: int, zone: ZoneInfo) -> int:
    offset = _offset(at // _QUARTER, zone)
    return (at + offset) // length * length - offset


@lru_cache(maxsize=1 << 14)
def _offset(quarter: int, zone: ZoneInfo) -> int:
    """How far the clock is ahead of UTC: in this century all clocks stand, and change at, whole quarters of an hour."""
    offset = local(quarter * _QUARTER, zone).utcoffset() or timedelta()
    return offset // timedelta(microseconds=1)
