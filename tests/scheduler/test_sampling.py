"""A sample is divided in proportion, drawn by its seed, and says how sure its mean is."""

from __future__ import annotations

import itertools
import math
import random
import statistics
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler import sampling, students_t
from scheduler.errors import SchedulerError

SIZES = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 5_000), max_size=12)
SCORES = st.lists(st.integers(0, 10), max_size=80)


@given(SIZES, st.integers(0, 3_000))
def test_a_sample_is_divided_wholly_and_in_proportion(sizes: dict[str, int], wanted: int) -> None:
    shares = sampling.divide(sizes, wanted)
    whole, peopled = sum(sizes.values()), [name for name, size in sizes.items() if size]
    assert sum(shares.values()) == min(wanted, whole)
    assert all(0 <= shares[name] <= size for name, size in sizes.items())
    if min(wanted, whole) >= len(peopled):
        assert all(shares[name] >= 1 for name in peopled)
    quotas = {name: min(wanted, whole) * size / whole for name, size in sizes.items() if size}
    raised = sum(quota < 1 for quota in quotas.values())  # those that were given one at the others' expense
    assert all(shares[name] > quota - 1 - raised and shares[name] < quota + 1 + 1e-9 for name, quota in quotas.items())


@given(SIZES, st.integers(1, 500))
def test_a_larger_segment_never_gets_less(sizes: dict[str, int], wanted: int) -> None:
    shares = sampling.divide(sizes, wanted)
    by_size = sorted(sizes, key=lambda name: sizes[name])
    assert all(shares[less] <= shares[more] + 1 for less, more in itertools.pairwise(by_size))


def test_a_tiny_segment_is_asked_too() -> None:
    assert sampling.divide({"north": 200_000, "south": 97_200, "island": 36}, 400) == {
        "north": 268,  # 269 by its share; one of them is the island's
        "south": 131,
        "island": 1,
    }


def test_where_the_sample_is_smaller_than_the_segments_the_largest_are_asked() -> None:
    assert sampling.divide({"a": 10, "b": 500, "c": 400, "d": 20}, 2) == {"a": 0, "b": 1, "c": 1, "d": 0}


@given(st.sets(st.integers(1, 10**12), max_size=200), st.integers(0, 2**31 - 1))
def test_the_same_seed_draws_the_same_people_whoever_else_comes_or_goes(people: set[int], seed: int) -> None:
    order = sampling.ordered(people, seed)
    assert set(order) == people
    assert sampling.ordered(sorted(people, reverse=True), seed) == order
    some = {person for person in people if person % 3}
    assert sampling.ordered(some, seed) == [person for person in order if person in some]


def test_this_seed_draws_these_people_on_every_machine() -> None:
    assert sampling.ordered(range(1, 1001), 42)[:5] == [506, 525, 263, 457, 446]


def test_everybody_is_drawn_as_often() -> None:
    """Of 40 people ten are drawn 2,000 times: each is drawn 500 times, give or take five standard errors."""
    drawn = Counter(person for seed in range(2_000) for person in sampling.ordered(range(40), seed)[:10])
    assert all(abs(drawn[person] - 500) < 5 * math.sqrt(2_000 * 0.25 * 0.75) for person in range(40))


@pytest.mark.parametrize(
    ("freedom", "value"),
    [(1, 12.7062047), (2, 4.3026527), (5, 2.5705818), (10, 2.2281389), (30, 2.0422725), (100, 1.9839715),
     (325, 1.9672901), (100_000, 1.9599877)],
)  # fmt: skip
def test_the_t_distribution_is_that_of_the_tables(freedom: int, value: float) -> None:
    assert students_t.two_sided(0.95, freedom) == pytest.approx(value, abs=2e-6)


def test_the_t_distribution_is_exact_where_there_is_a_formula() -> None:
    for value in (-30.0, -2.0, -0.3, 0.0, 0.7, 1.0, 4.0, 100.0):
        assert students_t.at_most(value, 1) == pytest.approx(0.5 + math.atan(value) / math.pi, abs=1e-12)
        assert students_t.at_most(value, 2) == pytest.approx(0.5 + value / 2 / math.sqrt(2 + value**2), abs=1e-12)


@given(st.floats(1, 500), st.floats(0.01, 0.999))
def test_the_quantile_is_the_inverse(freedom: float, confidence: float) -> None:
    found = students_t.two_sided(confidence, freedom)
    assert students_t.at_most(found, freedom) - students_t.at_most(-found, freedom) == pytest.approx(confidence)


@pytest.mark.parametrize(("confidence", "freedom"), [(0.95, 0), (0.95, math.inf), (0.95, math.nan), (1, 5), (0, 5)])
def test_what_makes_no_distribution_is_refused(confidence: float, freedom: float) -> None:
    with pytest.raises(SchedulerError):
        students_t.two_sided(confidence, freedom)


@given(SCORES, st.integers(0, 300_000))
def test_mean_and_variance_are_those_of_the_statistics_module(scores: list[int], others: int) -> None:
    found = sampling.estimate(Counter(scores), len(scores) + others)
    assert found.valid == len(scores)
    if not scores:
        assert found.mean is None
        return
    assert found.mean == pytest.approx(statistics.fmean(scores))
    if len(scores) == 1:
        assert (found.variance, found.low, found.high) == (None, None, None)
        return
    assert found.variance == pytest.approx(statistics.variance(scores))
    assert found.mean is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.mean + 1e-9
    assert found.mean <= found.high + 1e-9 <= 10 + 1e-6
    if not others:
        assert found.high - found.low == pytest.approx(0, abs=1e-6)  # all were asked: nothing is left to chance


def test_an_interval_as_by_hand() -> None:
    """326 of 297,236: the error is s/√n·√(1 - n/N), times t with 325 degrees of freedom."""
    answers = {10: 230, 9: 50, 8: 20, 7: 12, 5: 8, 0: 6}
    scores = list(Counter(answers).elements())
    found = sampling.estimate(answers, 297_236)
    mean, spread = statistics.fmean(scores), 1.9672901 * statistics.stdev(scores) / math.sqrt(326)
    spread *= math.sqrt(1 - 326 / 297_236)
    assert (found.low, found.mean, found.high) == pytest.approx((mean - spread, mean, mean + spread), abs=1e-6)


def test_the_interval_holds_the_true_mean_as_often_as_it_says() -> None:
    """2,000 samples of 50 from 400 with the scores of a bad day: 95 in 100 intervals hold the truth, to 2 points."""
    chance = random.Random(7)  # noqa: S311 - nothing secret depends on it
    people = [chance.choice((0, 3, 5, 6, 7, 8, 8, 9, 10)) for _ in range(400)]
    truth = statistics.fmean(people)
    held = 0
    for _ in range(2_000):
        found = sampling.estimate(Counter(chance.sample(people, 50)), 400)
        held += found.low is not None and found.high is not None and found.low <= truth <= found.high
    assert held / 2_000 == pytest.approx(0.95, abs=0.02)


def test_the_difference_as_by_hand() -> None:
    """Welch's: 8.13 of 310 before, 9.39 of 326 after."""
    before = sampling.estimate({10: 120, 9: 60, 8: 40, 6: 40, 5: 30, 2: 20}, 297_236)
    after = sampling.estimate({10: 230, 9: 60, 8: 20, 6: 10, 5: 6}, 297_236)
    assert before.mean is not None
    assert after.mean is not None
    assert before.variance is not None
    assert after.variance is not None
    error = math.sqrt(before.variance / 310 + after.variance / 326)
    found = sampling.difference(before, after)
    assert found is not None
    assert found.change == pytest.approx(after.mean - before.mean)
    assert found.low is not None
    assert found.change - found.low == pytest.approx(1.965 * error, rel=2e-3)
    assert not found.by_chance


@given(SCORES, SCORES)
def test_a_difference_is_the_same_from_both_sides(before: list[int], after: list[int]) -> None:
    one, other = (sampling.estimate(Counter(scores), 1_000) for scores in (before, after))
    there, back = sampling.difference(one, other), sampling.difference(other, one)
    if there is None or back is None:
        assert not before or not after
        return
    assert there.change == pytest.approx(-back.change)
    assert (there.low is None) == (len(before) < 2 or len(after) < 2)
    if there.low is not None and back.high is not None:
        assert there.low == pytest.approx(-back.high)
    assert there.by_chance == back.by_chance
