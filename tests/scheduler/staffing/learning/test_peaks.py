"""Peaks are found where they are, and hardly ever where there are none."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.staffing.halfhours import A_DAY
from scheduler.staffing.learning.fresh import Fresh
from scheduler.staffing.learning.peaks import Cell, dispersion, heat_map, words

MONDAY = date(2025, 9, 1)
OPEN = range(16, 42)


def poisson(dice: random.Random, mean: float) -> int:
    count, chance, limit = 0, dice.random(), math.exp(-mean)
    while chance > limit:
        count += 1
        chance *= dice.random()
    return count


def weeks(number: int, mean_of: Callable[[int, int], float], seed: int, bad_days: float = 0) -> Fresh:
    """Draw losses in the half hours in which the site is open; on bad days all are twice or half as many."""
    dice = random.Random(seed)  # noqa: S311 - nothing secret
    losses = {}
    for place in range(7 * number):
        day = MONDAY + timedelta(days=place)
        level = dice.choice((1 - bad_days, 1 + bad_days))
        means = [level * mean_of(day.weekday(), slot) if slot in OPEN else 0 for slot in range(A_DAY)]
        losses[day] = tuple(float(poisson(dice, mean)) for mean in means)
    calls = tuple(50.0 if number in OPEN else 0.0 for number in range(A_DAY))
    return Fresh(dict.fromkeys(losses, calls), losses, 0, 0)


def told(cells: list[Cell]) -> set[tuple[int, int]]:
    return {(cell.weekday, cell.half_hour) for cell in cells if cell.peak}


def test_a_peak_is_found_and_said() -> None:
    demand = weeks(8, lambda weekday, slot: 9 if weekday == 1 and 18 <= slot <= 20 else 3, seed=4)
    cells = heat_map(demand)
    assert told(cells) == {(1, 18), (1, 19), (1, 20)}
    assert len(cells) == 7 * len(OPEN)
    (line,) = words(cells)
    assert line.startswith("Tue 09:00-10:30: ")
    assert line.endswith("times the day's (8 Tue)")
    peak = next(cell for cell in cells if cell.peak)
    assert peak.day_losses < peak.at_least < peak.losses


@pytest.mark.parametrize("bad_days", [0, 0.5])
def test_days_without_peaks_hardly_ever_have_any(bad_days: float) -> None:
    false = [told(heat_map(weeks(6, lambda *_: 3, seed, bad_days), factor=1)) for seed in range(20)]
    assert sum(map(bool, false)) <= 3  # in 5% of all sites, and not more often


def test_most_of_what_is_told_is_true() -> None:
    def mean_of(weekday: int, slot: int) -> float:
        return 8 if (weekday + slot) % 5 == 0 else 3

    found = [told(heat_map(weeks(5, mean_of, seed), factor=1)) for seed in range(8)]
    false = sum(1 for site in found for weekday, slot in site if mean_of(weekday, slot) == 3)
    assert sum(map(len, found)) > 8 * 15
    assert false <= 0.05 * sum(map(len, found))


def test_one_day_says_nothing() -> None:
    demand = weeks(1, lambda _, slot: 60 if slot == 20 else 1, seed=1)
    assert told(heat_map(demand)) == set()
    assert told(heat_map(weeks(2, lambda _, slot: 60 if slot == 20 else 1, seed=1))) != set()


def test_one_bad_afternoon_is_no_peak() -> None:
    demand = weeks(6, lambda *_: 2, seed=2)
    day = MONDAY + timedelta(days=7)
    row = [*demand.losses[day]]
    row[30:33] = [20, 25, 20]
    cells = heat_map(Fresh(demand.calls, {**demand.losses, day: tuple(row)}, 0, 0))
    assert told(cells) == set()


def test_holidays_are_left_out() -> None:
    demand = weeks(3, lambda *_: 2, seed=3)
    cells = heat_map(demand, holidays=frozenset({MONDAY}))
    assert {cell.days for cell in cells if cell.weekday == 0} == {2}
    assert {cell.days for cell in cells if cell.weekday == 1} == {3}


def test_no_losses_no_peaks() -> None:
    assert words(heat_map(weeks(4, lambda *_: 0, seed=1))) == []


@given(st.lists(st.lists(st.integers(0, 9), min_size=4, max_size=4), min_size=1, max_size=6), st.integers(2, 9))
def test_losses_in_clumps_scatter_more(table: list[list[int]], clump: int) -> None:
    single, clumped = dispersion(table), dispersion([[clump * count for count in row] for row in table])
    assert 1 <= single <= clumped + 1e-9
    assert clumped <= clump * max(single, 1) + 1e-9
