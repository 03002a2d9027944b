"""Instants and wall clocks: an instant is an int, microseconds UTC since 1970; a wall time needs a zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from scheduler.errors import SchedulerError

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def zone(name: str) -> ZoneInfo:
    """Find the time zone `name`, as in "Asia/Shanghai"."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SchedulerError(
            f"time zone {name!r} is not known here: write it as in Asia/Shanghai, "
            "and see that the system's time zone data (the package tzdata) is installed"
        ) from error


def local(at: int, zone: ZoneInfo) -> datetime:
    """Show the instant `at` on the wall clock of `zone`."""
    return (_EPOCH + at * _MICROSECOND).astimezone(zone)


def shown(at: int, now: int, zone: ZoneInfo) -> str:
    """Say the instant `at` on the clock of `zone`; on another day than `now` with that day's date."""
    then = local(at, zone)
    return f"{then:%H:%M}" if then.date() == local(now, zone).date() else f"{then:%m-%d %H:%M}"


def micros(moment: datetime) -> int:
    """Turn a datetime that knows its zone into an instant."""
    if moment.tzinfo is None:
        raise SchedulerError(f"{moment.isoformat()} names no instant: give it a time zone")
    return (moment - _EPOCH) // _MICROSECOND


def first(wall: datetime, zone: ZoneInfo) -> int:
    """Find the first instant at which the clock of `zone` shows `wall`, or jumps over it."""
    return _passings(wall, zone)[0]


def begins(day: date, zone: ZoneInfo) -> int:
    """Find when a day begins on the clock of `zone`: where a change of clocks skips midnight, right after it."""
    return first(datetime.combine(day, time()), zone)


def last(wall: datetime, zone: ZoneInfo) -> int:
    """Find the last instant at which the clock of `zone` shows `wall`, or jumps over it."""
    return _passings(wall, zone)[1]


@lru_cache(maxsize=4096)  # a site asks for the same few again and again
def _passings(wall: datetime, zone: ZoneInfo) -> tuple[int, int]:
    """Give both instants of a wall time that the clock shows twice; else the one, twice.

    Where the clock jumps over `wall` (PEP 495: fold 0 then names the later instant), that is the jump.
    """
    before, after = (micros(wall.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if before <= after:
        return before, after
    jump = _jump(after, before, zone)
    return jump, jump


def _jump(low: int, high: int, zone: ZoneInfo) -> int:
    """Find the instant between `low` and `high` from which the offset of `high` holds."""
    offset = local(high, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if local(middle, zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return high
