"""The distributions against sums that need no cleverness."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.staffing import distributions

means = st.floats(0.01, 400)


def poisson(count: int, mean: float) -> float:
    return math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))


@given(st.integers(0, 500), means)
def test_at_least_is_the_sum_of_what_is_less_subtracted(count: int, mean: float) -> None:
    expected = 1 - math.fsum(poisson(less, mean) for less in range(count))
    assert distributions.at_least(count, mean) == pytest.approx(expected, abs=1e-10)


@given(st.floats(0.01, 300), st.floats(0.01, 300), st.floats(0.01, 300))
def test_a_larger_mean_reaches_a_count_sooner(count: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert distributions.at_least(count, low) <= distributions.at_least(count, high) + 1e-12
    assert 0 <= distributions.at_least(count, low) <= 1 + 1e-12


@given(st.integers(0, 300), st.floats(0.5, 0.99))
def test_bounds_hold_the_count_between_them(count: int, sure: float) -> None:
    low, high = distributions.lowest_mean(count, sure), distributions.highest_mean(count, sure)
    assert low <= count <= high
    assert distributions.at_least(count + 1, high) == pytest.approx(sure, abs=1e-6)
    assert not count or distributions.at_least(count, low) == pytest.approx(1 - sure, abs=1e-6)


@given(means, st.sampled_from([0, 1e-12, 0.01, 0.2, 3]), st.floats(0.01, 0.999))
def test_a_quantile_is_reached_and_not_one_sooner(mean: float, spread: float, sure: float) -> None:
    def weight(count: int) -> float:
        if spread < 1e-9:
            return poisson(count, mean)
        size = 1 / spread
        ways = math.lgamma(size + count) - math.lgamma(size) - math.lgamma(count + 1)
        return math.exp(ways + size * math.log(size / (size + mean)) + count * math.log(mean / (size + mean)))

    found = distributions.quantile(mean, spread, sure)
    below = math.fsum(weight(count) for count in range(found))
    assert below < sure + 1e-9
    assert below + weight(found) >= sure - 1e-9


def test_nobody_comes_where_nobody_is_expected() -> None:
    assert distributions.quantile(0, 0.1, 0.99) == 0
    assert distributions.poisson_floor(0) == 0
    assert distributions.lowest_mean(0, 0.9) == 0


@given(st.floats(0.01, 200))
def test_the_floor_is_the_mean_distance(mean: float) -> None:
    most = int(mean + 20 * math.sqrt(mean) + 40)
    expected = math.fsum(abs(count - mean) * poisson(count, mean) for count in range(most))
    assert distributions.poisson_floor(mean) == pytest.approx(expected, rel=1e-9)
