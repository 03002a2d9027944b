"""Instants and wall clocks."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler import clock
from scheduler.errors import SchedulerError
from tests.scheduler.moments import FIRST, LAST, at, shown, zones


@given(zones, st.integers(FIRST, LAST))
def test_an_instant_survives_every_wall_clock(zone: str, instant: int) -> None:
    assert clock.micros(clock.local(instant, clock.zone(zone))) == instant


@pytest.mark.parametrize(
    ("wall", "first", "last"),
    [
        ("2025-03-30 01:59", "2025-03-30 00:59", "2025-03-30 00:59"),
        ("2025-03-30 02:00", "2025-03-30 01:00", "2025-03-30 01:00"),
        ("2025-03-30 02:30", "2025-03-30 01:00", "2025-03-30 01:00"),  # does not exist: the jump
        ("2025-03-30 03:00", "2025-03-30 01:00", "2025-03-30 01:00"),
        ("2025-10-26 01:59", "2025-10-25 23:59", "2025-10-25 23:59"),
        ("2025-10-26 02:30", "2025-10-26 00:30", "2025-10-26 01:30"),  # exists twice
        ("2025-10-26 03:00", "2025-10-26 02:00", "2025-10-26 02:00"),
    ],
)
def test_when_berlin_shows_a_wall_time(wall: str, first: str, last: str) -> None:
    berlin = clock.zone("Europe/Berlin")
    moment = datetime.fromisoformat(wall)
    assert shown(clock.first(moment, berlin), "UTC") == first
    assert shown(clock.last(moment, berlin), "UTC") == last


def test_a_day_that_a_zone_skipped_is_one_jump() -> None:
    noon = datetime.fromisoformat("2011-12-30 12:00")
    jump = clock.first(noon, clock.zone("Pacific/Apia"))
    assert shown(jump, "Pacific/Apia") == "2011-12-31 00:00"
    assert shown(jump - 1, "Pacific/Apia") == "2011-12-29 23:59:59"


@pytest.mark.parametrize("name", ["Asia/Nowhere", "", "../../etc/passwd", "America", "/etc/localtime"])
def test_an_unknown_zone_is_named_with_its_remedy(name: str) -> None:
    with pytest.raises(SchedulerError, match=r"Asia/Shanghai.*tzdata") as refused:
        clock.zone(name)
    assert repr(name) in str(refused.value)


def test_a_moment_without_a_zone_is_no_instant() -> None:
    with pytest.raises(SchedulerError, match="names no instant"):
        clock.micros(datetime.fromisoformat("2025-01-01 08:00"))


def test_shanghai_is_eight_hours_ahead() -> None:
    assert at("2025-01-01 08:00") == at("2025-01-01 00:00", "UTC")
