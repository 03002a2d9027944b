"""Days off: public holidays by country and part of it, the site's own on top, and those that it works all the same."""

from __future__ import annotations

from datetime import date

import pytest

from scheduler import clock
from scheduler.days_off import DaysOff
from scheduler.errors import SchedulerError
from scheduler.hours import Hours, spans
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


WEEKDAYS_ALONE = dict.fromkeys(range(5), spans("09:00-18:00"))


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-02-13 19:00", "2026-02-14 09:00"),  # a Saturday that is made up for the Spring Festival
        ("2026-02-14 19:00", "2026-02-24 09:00"),  # and then all of it
        ("2026-04-30 19:00", "2026-05-01 10:00"),  # a holiday on which the site works for some hours
        ("2026-05-01 13:00", "2026-05-06 09:00"),
        ("2026-06-01 19:00", "2026-06-03 09:00"),  # a Tuesday on which it is closed
    ],
)
def test_one_day_has_hours_of_its_own(now: str, opens: str) -> None:
    special = {
        date(2026, 2, 14): spans("09:00-18:00"),
        date(2026, 5, 1): spans("10:00-12:00"),
        date(2026, 6, 2): (),
    }
    china = Hours(clock.zone("Asia/Shanghai"), WEEKDAYS_ALONE, DaysOff("CN"), special=special)
    assert shown(china.next_opening(at(now, "Asia/Shanghai")), "Asia/Shanghai") == opens


def test_no_day_has_hours_that_nobody_could_mean() -> None:
    with pytest.raises(SchedulerError, match="overlap"):
        Hours(clock.zone("UTC"), special={THANKS: spans("09:00-12:00, 11:00-13:00")})
