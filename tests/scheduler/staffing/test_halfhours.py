"""Half hours of the wall clock, and their names."""

from __future__ import annotations

from datetime import date

import pytest

from scheduler import clock
from scheduler.staffing.halfhours import counted, half_hour, runs, span_text
from tests.scheduler.moments import at


@pytest.mark.parametrize(
    ("moment", "zone", "expected"),
    [
        ("2025-11-21 00:00", "Asia/Shanghai", (date(2025, 11, 21), 0)),
        ("2025-11-21 09:29:59", "Asia/Shanghai", (date(2025, 11, 21), 18)),
        ("2025-11-21 09:30", "Asia/Shanghai", (date(2025, 11, 21), 19)),
        ("2025-11-21 23:59:59", "Europe/Berlin", (date(2025, 11, 21), 47)),
        ("2025-10-26 02:15", "Europe/Berlin", (date(2025, 10, 26), 4)),  # shown twice
    ],
)
def test_a_moment_has_its_half_hour(moment: str, zone: str, expected: tuple[date, int]) -> None:
    assert half_hour(at(moment, zone), clock.zone(zone)) == expected


def test_a_half_hour_that_the_clock_shows_twice_is_one() -> None:
    berlin = clock.zone("Europe/Berlin")
    once = at("2025-10-26 02:15", "Europe/Berlin")
    assert half_hour(once, berlin) == half_hour(once + clock.HOUR, berlin)


def test_counting_keeps_every_mark() -> None:
    monday, friday = date(2025, 11, 24), date(2025, 11, 21)
    counts = counted([(monday, 3), (friday, 47), (monday, 3)])
    assert list(counts) == [friday, monday]
    assert counts[monday][3] == 2
    assert sum(map(sum, counts.values())) == 3


def test_neighbours_that_are_alike_are_one_run() -> None:
    values = {18: 3, 19: 3, 20: 1, 25: 1}
    assert list(runs(values, values.__getitem__)) == [(18, 19), (20, 20), (25, 25)]
    assert list(runs(values)) == [(18, 20), (25, 25)]
    assert [span_text(*run) for run in runs(values)] == ["09:00-10:30", "12:30-13:00"]
    assert span_text(47, 47) == "23:30-24:00"
