"""The forecast rests on the right days, never on what came later, and follows a day that leaves it."""

from __future__ import annotations

import math
import random
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.errors import SchedulerError
from scheduler.staffing.halfhours import A_DAY, Day
from scheduler.staffing.learning import accuracy
from scheduler.staffing.learning.forecast import USUAL, Forecast, Habit, forecast, habit, habits, leaving, updated

MONDAY = date(2025, 9, 1)


def flat(count: float) -> Day:
    return (count,) * A_DAY


def days(*counts: float, first: date = MONDAY, apart: int = 7) -> dict[date, Day]:
    return {first + timedelta(days=apart * place): flat(count) for place, count in enumerate(counts)}


def noisy(number: int, spread: float, seed: int, mean: float = 60) -> dict[date, Day]:
    """Make days whose level differs by `spread` beyond chance, the same all day."""
    dice = random.Random(seed)  # noqa: S311 - nothing secret
    history = {}
    for place in range(number):
        level = mean * max(0.0, dice.gauss(1, math.sqrt(spread)))
        row = tuple(float(max(0, round(dice.gauss(level, math.sqrt(level))))) for _ in range(A_DAY))
        history[MONDAY + timedelta(days=place)] = row
    return history


@pytest.mark.parametrize(
    ("history", "mean", "used", "basis"),
    [
        (days(1, 2, 3), 2, 3, "same weekdays"),
        (days(*range(20)), 15.5, 8, "same weekdays"),  # the last eight
        (days(4, 6, first=MONDAY + timedelta(days=1)), 5, 2, "all days"),
        ({**days(1, 3), **days(100, first=MONDAY + timedelta(days=3))}, 2, 2, "same weekdays"),
    ],
)
def test_the_mean_of_the_last_same_weekdays(history: dict[date, Day], mean: float, used: int, basis: str) -> None:
    day = max(history) + timedelta(days=7 - max(history).weekday())
    result = forecast(history, day)
    assert (result.mean, len(result.days), result.basis) == (flat(mean), used, basis)


def week_after_week(weeks: int, closed: set[int], count: float = 10) -> dict[date, Day]:
    """Give days of equal demand, without those weekdays on which nobody calls."""
    every = (MONDAY + timedelta(days=number) for number in range(7 * weeks))
    return {day: flat(count) for day in every if day.weekday() not in closed}


@pytest.mark.parametrize(
    ("weeks", "closed", "weekday", "mean", "basis"),
    [
        (6, {6}, 6, 0, "same weekdays"),  # a site that nobody calls on Sundays
        (6, {5, 6}, 5, 0, "same weekdays"),
        (2, {6}, 6, 10, "all days"),  # one Sunday between two weeks tells nothing yet
        (6, {6}, 5, 10, "same weekdays"),
        (6, set(), 6, 10, "same weekdays"),
    ],
)
def test_nobody_calls_on_a_weekday_that_never_had_a_call(
    weeks: int, closed: set[int], weekday: int, mean: float, basis: str
) -> None:
    history = week_after_week(weeks, closed)
    result = forecast(history, MONDAY + timedelta(days=7 * weeks + weekday))
    assert (result.mean, result.basis) == (flat(mean), basis)


def test_holidays_on_every_such_weekday_do_not_make_it_one_without_calls() -> None:
    history = week_after_week(6, set())
    sundays = {day for day in history if day.weekday() == 6}
    assert forecast(
        history, max(history) + timedelta(days=7), sundays - {max(history) + timedelta(days=7)}
    ).mean == flat(10)


def test_holidays_stand_apart() -> None:
    history = days(10, 2, 10, 4, 10)
    holidays = {MONDAY + timedelta(days=7), MONDAY + timedelta(days=21)}
    after = MONDAY + timedelta(days=35)
    assert forecast(history, after, holidays).mean == flat(10)
    assert forecast(history, after, {*holidays, after}).mean == flat(3)
    assert forecast(history, after, {after}).basis == "same weekdays, for want of a holiday"


@given(st.integers(1, 40), st.integers(0, 20), st.floats(0, 1e6))
def test_nothing_is_known_before_it_happened(day: int, back: int, later: float) -> None:
    history = days(*range(1, 41), apart=1)
    target = MONDAY + timedelta(days=day)
    until = target - timedelta(days=back)
    changed = {past: flat(later) if past >= until else row for past, row in history.items()}
    if until <= MONDAY:
        with pytest.raises(SchedulerError, match="reaches further back"):
            forecast(history, target, until=until)
        return
    assert forecast(history, target, until=until) == forecast(changed, target, until=until)
    assert habit(history, until=until) == habit(changed, until=until)
    assert all(past < until for past in forecast(history, target, until=until).days)


def expected(*means: float) -> Forecast:
    return Forecast(MONDAY, means, tuple(0.1 for _ in means), (MONDAY,), "same weekdays")


def test_a_day_that_keeps_to_its_forecast_leaves_it_alone() -> None:
    day = forecast(days(40, 40), MONDAY + timedelta(days=14))
    result = updated(day, flat(40)[:20])
    assert result.mean == pytest.approx(flat(40))
    assert result.spread[:20] == (0.0,) * 20


def test_the_deviation_fades_as_the_habit_says() -> None:
    day = forecast(days(100, 100), MONDAY + timedelta(days=14))
    result = updated(day, flat(150)[:20], Habit(0.05, 0.8))
    beyond = [mean - 100 for mean in result.mean[20:]]
    assert 30 < beyond[0] < 40  # 50 more, of which four fifths are left
    assert [after / before for before, after in pairwise(beyond)] == pytest.approx([0.8] * 27)


def test_few_calls_move_the_forecast_little() -> None:
    few, many = (leaving((mean,) * 3, (2 * mean,) * 3, USUAL)[0] for mean in (0.5, 500))
    assert 0 < few < 0.1
    assert 0.8 < many < 1


@given(
    st.lists(st.tuples(st.floats(0, 200), st.integers(0, 300)), max_size=20),
    st.floats(0, 1),
    st.floats(0, 0.99),
)
def test_a_better_forecast_is_no_nonsense(pairs: list[tuple[float, int]], spread: float, lasting: float) -> None:
    day = forecast(days(30, 50), MONDAY + timedelta(days=14), habit=Habit(spread, lasting))
    factor, doubt = leaving([mean for mean, _ in pairs], [count for _, count in pairs], Habit(spread, lasting))
    assert factor >= -1
    assert 0 <= doubt <= spread + 1e-12
    so_far = [float(count) for _, count in pairs]
    result = updated(day, so_far, Habit(spread, lasting))
    assert result.mean[: len(so_far)] == tuple(so_far)
    assert all(mean >= 0 for mean in result.mean)
    assert all(now <= before + 1e-12 for now, before in zip(result.spread, day.spread, strict=True))


@given(st.floats(0, 300), st.integers(1, 40))
def test_more_calls_so_far_never_mean_fewer_later(more: float, passed: int) -> None:
    day = forecast(days(30, 50), MONDAY + timedelta(days=14))
    low, high = (updated(day, [count] * passed).mean[-1] for count in (more, more + 5))
    assert low <= high


def test_a_day_has_no_more_half_hours_than_passed() -> None:
    with pytest.raises(SchedulerError, match="49 half hours"):
        updated(forecast(days(1), MONDAY + timedelta(days=7)), [1.0] * 49)


@pytest.mark.parametrize("spread", [0.005, 0.02, 0.08])
def test_the_habit_is_found_again(spread: float) -> None:
    found = habit(noisy(300, spread, seed=7))
    assert found.spread == pytest.approx(spread, rel=0.35)
    assert found.lasting > 0.8


def test_chance_alone_is_no_habit() -> None:
    assert habit(noisy(200, 0, seed=3)).spread < 0.001


def test_without_days_the_habit_is_the_usual_one() -> None:
    assert habit({}) == habit(days(10)) == USUAL


def test_few_days_move_the_habit_little() -> None:
    wild = {place: habit(noisy(place, 0.3, seed=2)).spread for place in (8, 40, 120)}
    assert abs(wild[8] - USUAL.spread) < 0.03
    assert USUAL.spread < wild[40] < wild[120]


def test_what_was_known_before_each_day_is_what_its_past_alone_says() -> None:
    history = noisy(30, 0.03, seed=11)
    known = habits(history)
    assert len(known) == 30
    for day in list(history)[::9]:
        assert known[day] == habit(history, until=day)


def test_the_likely_count_covers_as_often_as_it_says() -> None:
    history = noisy(130, 0.03, seed=5)
    covered, known = [], habit(history)
    for day in list(history)[70:]:
        likely = forecast(history, day, habit=known).likely(0.9)
        covered += [came <= count for came, count in zip(history[day], likely, strict=True)]
    assert sum(covered) / len(covered) == pytest.approx(0.9, abs=0.03)


def test_accuracy_beats_the_guesses_where_days_have_a_level_of_their_own() -> None:
    rows = {row.horizon: row for row in accuracy.by_horizon(noisy(42, 0.04, seed=1))}
    soon, week = rows["0.5 h"], rows["7 d"]
    assert soon.forecast < 0.85 * soon.last_week
    assert soon.unchanged is not None
    assert soon.forecast < 0.85 * soon.unchanged
    assert soon.chance <= soon.forecast
    assert week.forecast < week.last_week
    assert rows["1 d"].half_hours == week.half_hours == 35 * A_DAY
    assert rows["14 d"].days == 28


def test_accuracy_by_hand() -> None:
    rows = {row.horizon: row for row in accuracy.by_horizon(days(10, 20, 30))}
    week = rows["7 d"]
    assert week.forecast == pytest.approx((10 + 15) / 50)
    assert week.last_week == pytest.approx((10 + 10) / 50)
    assert rows["14 d"].last_week == pytest.approx(20 / 30)
    assert (rows["14 d"].days, week.half_hours) == (1, 2 * A_DAY)
