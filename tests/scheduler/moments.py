"""Instants, zones and hours to draw from, the clock changes foremost."""

from __future__ import annotations

import operator
from datetime import UTC, date, datetime, time
from functools import cache
from zoneinfo import available_timezones

from hypothesis import reject
from hypothesis import strategies as st

from scheduler import clock
from scheduler.clock import DAY, HOUR, SECOND
from scheduler.errors import SchedulerError
from scheduler.hours import EVERY_DAY, MIDNIGHT, Hours, Span

FIRST = clock.micros(datetime(2000, 1, 1, tzinfo=UTC))
LAST = clock.micros(datetime(2100, 12, 31, tzinfo=UTC))
ZONES = sorted(available_timezones())


def at(text: str, zone: str = "Asia/Shanghai") -> int:
    """Read "2025-11-21 20:35" in `zone`."""
    return clock.micros(datetime.fromisoformat(text).replace(tzinfo=clock.zone(zone)))


def shown(instant: int, zone: str = "Asia/Shanghai") -> str:
    """Write an instant as `at` reads it, with the second where it matters."""
    return clock.local(instant, clock.zone(zone)).strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00")


@cache
def changes(name: str, year: int) -> tuple[int, ...]:
    """Give the instants of `year` at which the clock of the zone `name` is changed."""
    zone, found = clock.zone(name), []
    start = clock.micros(datetime(year, 1, 1, tzinfo=UTC))
    for day in range(start, start + 366 * DAY, DAY):
        low, high = day, day + DAY
        if clock.local(low, zone).utcoffset() == clock.local(high, zone).utcoffset():
            continue
        while high - low > SECOND:
            middle = (low + high) // 2
            same = clock.local(low, zone).utcoffset() == clock.local(middle, zone).utcoffset()
            low, high = (middle, high) if same else (low, middle)
        found.append(high)
    return tuple(found)


zones = st.sampled_from(ZONES)
wall_times = st.one_of(
    st.sampled_from([time(h, m) for h in range(24) for m in (0, 1, 30)]),
    st.times().map(lambda moment: moment.replace(microsecond=0)),
)


@st.composite
def instants(draw: st.DrawFn, zone: str) -> int:
    """Draw any instant of the century, half of them within hours of a clock change."""
    near = changes(zone, draw(st.integers(2000, 2100)))
    anywhere = st.integers(FIRST, LAST)
    if not near:
        return draw(anywhere)
    hours_off = st.integers(-30 * HOUR, 30 * HOUR)
    return draw(st.one_of(anywhere, st.builds(operator.add, st.sampled_from(near), hours_off)))


@st.composite
def day_spans(draw: st.DrawFn) -> tuple[Span, ...]:
    """Draw a day's opening: none, one or two spans, perhaps up to midnight."""
    marks = sorted(draw(st.sets(wall_times, max_size=4)))
    if len(marks) % 2:
        marks.append(MIDNIGHT)
    return tuple(zip(marks[::2], marks[1::2], strict=True))


@st.composite
def hours(draw: st.DrawFn, zone: str, holidays: frozenset[date] = frozenset()) -> Hours:
    """Draw the hours of a site in `zone` at which it can ring at all: always open, or as it likes."""
    quiet_from, quiet_until = draw(st.lists(wall_times, min_size=2, max_size=2, unique=True))
    opening = dict.fromkeys(range(7), draw(day_spans())) if draw(st.booleans()) else EVERY_DAY
    try:
        return Hours(clock.zone(zone), opening, holidays, quiet_from, quiet_until)
    except SchedulerError:  # open in quiet hours alone
        reject()
