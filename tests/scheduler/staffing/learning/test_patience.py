"""Patience from waits that agents cut short; handling times by queue and hour."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler import clock
from scheduler.clock import HOUR
from scheduler.staffing.learning.fresh import PastCall
from scheduler.staffing.learning.handling import USUAL_S, handling
from scheduler.staffing.learning.patience import Wait, by_queue, patience, staying, stays
from tests.scheduler.moments import at

NINE = at("2025-11-21 09:00")
ZONE = clock.zone("Asia/Shanghai")


def drawn(mean_s: float, offered_s: float, number: int, seed: int) -> list[Wait]:
    """Draw callers' patience, and how long each would have had to wait; the shorter ends his wait."""
    dice = random.Random(seed)  # noqa: S311 - nothing secret
    pairs = [(dice.expovariate(1 / mean_s), dice.expovariate(1 / offered_s)) for _ in range(number)]
    return [Wait(min(pair), pair[0] < pair[1]) for pair in pairs]


@pytest.mark.parametrize("offered_s", [20, 200])
def test_the_mean_is_found_again_though_most_are_answered(offered_s: float) -> None:
    fit = patience(drawn(150, offered_s, 8000, seed=1))
    assert fit.low_s <= 150 <= fit.high_s
    assert fit.mean_s == pytest.approx(150, rel=0.07)


def test_the_bounds_hold_as_often_as_they_say() -> None:
    held = [fit.low_s <= 90 <= fit.high_s for fit in (patience(drawn(90, 30, 60, seed)) for seed in range(300))]
    assert 0.86 <= sum(held) / len(held) <= 0.97


def test_patience_by_hand() -> None:
    fit = patience([Wait(10, hung_up=True), Wait(50, hung_up=False), Wait(0, hung_up=False), Wait(60, hung_up=True)])
    assert (fit.mean_s, fit.waits, fit.hung_up) == (60, 4, 2)
    assert fit.low_s < 60 < fit.high_s


def test_nobody_hung_up() -> None:
    fit = patience([Wait(100, hung_up=False)] * 30)
    assert (fit.mean_s, fit.high_s) == (math.inf, math.inf)
    assert fit.low_s == pytest.approx(3000 / 2.996, rel=1e-3)
    assert patience([]).mean_s == math.inf


def test_who_hangs_up_in_the_second_in_which_he_came_has_some_patience() -> None:
    assert patience([Wait(0, hung_up=True)] * 40).mean_s == 0.5


waits = st.lists(st.builds(Wait, st.floats(0, 900), st.booleans()), max_size=40)


@given(waits, st.floats(1.1, 10))
def test_who_waits_longer_is_more_patient(rows: list[Wait], times: float) -> None:
    short, long = patience(rows), patience([Wait(times * wait.seconds, wait.hung_up) for wait in rows])
    assert short.mean_s <= long.mean_s
    assert short.low_s <= short.mean_s <= short.high_s


@given(waits)
def test_the_curve_only_falls(rows: list[Wait]) -> None:
    curve = staying(rows)
    shares = [1.0, *(share for _, share in curve)]
    assert shares == sorted(shares, reverse=True)
    assert all(0 <= share <= 1 for share in shares)
    assert len(curve) == len({wait.seconds for wait in rows if wait.hung_up})
    if rows and all(wait.hung_up for wait in rows):
        assert shares[-1] == pytest.approx(0)


def test_the_curve_by_hand() -> None:
    rows = [
        Wait(5, hung_up=True),
        Wait(5, hung_up=False),
        Wait(8, hung_up=False),
        Wait(9, hung_up=True),
        Wait(9, hung_up=False),
    ]
    curve = staying(rows)
    assert [seconds for seconds, _ in curve] == [5, 9]
    assert [stays(curve, seconds) for seconds in (4, 5, 8.9, 100)] == pytest.approx([1, 0.8, 0.8, 0.4])


def test_the_curve_of_exponential_patience_is_exponential() -> None:
    curve = staying(drawn(100, 100, 6000, seed=3))
    assert [stays(curve, seconds) for seconds in (20, 50, 100)] == pytest.approx(
        [math.exp(-seconds / 100) for seconds in (20, 50, 100)], abs=0.03
    )


def call(queue: str, hour: int = 0, **more: float | bool) -> PastCall:
    return PastCall(NINE + hour * HOUR, queue, "", lost=False, **more)  # type: ignore[arg-type]


def test_a_queue_with_few_hang_ups_has_the_sites_patience() -> None:
    calls = [call("sales", waited_s=50, hung_up=True)] * 40 + [call("help", waited_s=10, hung_up=True)] * 3
    fits = by_queue([*calls, call("help", waited_s=9999, own=True)])
    assert fits["sales"].mean_s == 50
    assert fits["help"] == fits[""]
    assert fits[""].mean_s == pytest.approx(2030 / 43)


def test_handling_by_queue_and_hour() -> None:
    early, late = [call("sales", 0, handled_s=100)] * 75, [call("sales", 1, handled_s=300)] * 75
    others = [call("help", handled_s=9), call("sales"), call("sales", handled_s=1e6, own=True)]
    measured = handling([*early, *late, *others], ZONE, wrap_up_s=10)
    assert measured.seconds("sales", 18) == pytest.approx((75 * 110 + 25 * 210) / 100)
    assert measured.seconds("sales", 21) == pytest.approx((75 * 310 + 25 * 210) / 100)
    assert measured.seconds("sales", 40) == pytest.approx(210)
    assert measured.seconds("help", 19) == pytest.approx(19)
    assert measured.seconds("new", 19) == pytest.approx((75 * 110 + 75 * 310 + 19) / 151)
    assert handling([], ZONE).seconds("sales", 0) == USUAL_S


@given(st.lists(st.floats(1, 2000), min_size=1, max_size=60))
def test_handling_stays_among_the_calls(seconds: list[float]) -> None:
    measured = handling([call("sales", place % 5, handled_s=each) for place, each in enumerate(seconds)], ZONE)
    for number in range(48):
        assert min(seconds) - 1e-6 <= measured.seconds("sales", number) <= max(seconds) + 1e-6
