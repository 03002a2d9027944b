"""Calls that nobody waits for are spread evenly over the hours of some days."""

from __future__ import annotations

from datetime import time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.clock import DAY, HOUR, local
from scheduler.errors import SchedulerError
from scheduler.hours import Hours
from scheduler.spread import spread
from tests.scheduler.moments import at

TOKYO = ZoneInfo("Asia/Tokyo")
NINE_TO_FIVE = {day: ((time(9), time(12)), (time(13), time(17))) for day in range(5)}
OFFICE = Hours(TOKYO, NINE_TO_FIVE)
FRIDAY = at("2026-11-27 15:00", "Asia/Tokyo")


@given(st.integers(1, 300), st.integers(1, 10), st.integers(0, 7 * 24 * 60))
def test_all_ring_within_hours_in_order_and_evenly(many: int, days: int, minutes: int) -> None:
    since = FRIDAY + minutes * 60_000_000
    times = spread(OFFICE, since, many, days)
    assert len(times) == many
    assert times == sorted(times)
    assert all(moment >= since and OFFICE.may_ring(moment) for moment in times)
    assert len({local(moment, TOKYO).date() for moment in times}) <= days


def test_over_a_weekend() -> None:
    """Two hours of Friday and seven of Monday: of nine calls two are on Friday."""
    times = spread(OFFICE, FRIDAY, 9, 2)
    assert [f"{local(moment, TOKYO):%a %H:%M}" for moment in times] == [
        *("Fri 15:30", "Fri 16:30", "Mon 09:30", "Mon 10:30", "Mon 11:30", "Mon 13:30", "Mon 14:30", "Mon 15:30"),
        "Mon 16:30",
    ]


def test_where_it_never_opens_again_that_is_said() -> None:
    closed = Hours(TOKYO, NINE_TO_FIVE, special={local(FRIDAY + n * DAY, TOKYO).date(): () for n in range(801)})
    with pytest.raises(SchedulerError):
        spread(closed, FRIDAY + HOUR, 1, 1)
