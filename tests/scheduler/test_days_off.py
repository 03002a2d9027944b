"""Days off: public holidays by country and part of it, the site's own on top, and those that it works all the same."""

from __future__ import annotations

from datetime import date

import pytest

from scheduler import clock
from scheduler.days_off import DaysOff
from scheduler.errors import SchedulerError
from scheduler.hours import Hours
from tests.scheduler.moments import at, shown

THANKS = date(2026, 11, 23)  # in Japan: Labour Thanksgiving Day, a Monday


@pytest.mark.parametrize(
    ("country", "day", "off"),
    [
        ("JP", THANKS, True),
        ("JP", date(2026, 11, 24), False),
        ("US", THANKS, False),
        ("US-CA", date(2026, 3, 31), True),  # Cesar Chavez Day, in California alone
        ("US-NY", date(2026, 3, 31), False),
        ("US", date(2026, 7, 3), True),  # kept on the Friday before: the Fourth is a Saturday
        ("", date(2026, 1, 1), False),
    ],
)
def test_public_holidays_are_those_of_the_country_and_its_part(country: str, day: date, off: bool) -> None:
    assert (day in DaysOff(country)) is off


def test_own_days_come_on_top_and_worked_ones_are_taken_away() -> None:
    own, worked = date(2026, 11, 25), date(2026, 11, 23)
    days = DaysOff("JP", own=frozenset({own}), works=frozenset({worked}))
    assert own in days
    assert worked not in days
    assert date(2026, 11, 3) in days


def test_a_site_is_closed_on_them() -> None:
    tokyo = Hours(clock.zone("Asia/Tokyo"), holidays=DaysOff("JP"))
    evening = at("2026-11-22 22:00", "Asia/Tokyo")
    assert shown(tokyo.next_opening(evening), "Asia/Tokyo") == "2026-11-24 08:00"


@pytest.mark.parametrize("country", ["XX", "US-XX"])
def test_an_unknown_country_says_how_to_write_one(country: str) -> None:
    with pytest.raises(SchedulerError, match=r"as in JP.*US-CA"):
        DaysOff(country)
