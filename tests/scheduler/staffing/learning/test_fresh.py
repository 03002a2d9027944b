"""What is fresh, and what was only called again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler import clock
from scheduler.clock import MINUTE
from scheduler.staffing.learning.fresh import Fresh, PastCall, fresh, observed
from tests.scheduler.moments import at

ZONE = clock.zone("Asia/Shanghai")
NINE = at("2025-11-21 09:00")


def call(minute: float, caller: str = "a", *, lost: bool = False, own: bool = False) -> PastCall:
    return PastCall(NINE + round(minute * MINUTE), "sales", caller, lost, own=own)


def totals(result: Fresh) -> tuple[float, float]:
    return sum(map(sum, result.calls.values())), sum(map(sum, result.losses.values()))


@pytest.mark.parametrize(
    ("calls", "fresh_calls", "losses"),
    [
        ([call(0)], 1, 0),
        ([call(0, lost=True)], 1, 1),
        ([call(0, lost=True), call(10)], 1, 1),  # he dialled again and was served
        ([call(0, lost=True), call(10, lost=True), call(65)], 1, 1),  # each loss begins the hour anew
        ([call(0, lost=True), call(10), call(20)], 2, 1),  # served, then a new wish
        ([call(0, lost=True), call(60)], 1, 1),
        ([call(0, lost=True), call(61)], 2, 1),
        ([call(0, "a", lost=True), call(1, "b")], 2, 1),
        ([call(0, lost=True), call(5, own=True), call(10)], 1, 1),  # our callback is no demand
        ([call(0, ""), call(1, "", lost=True)], 2, 1),  # nobody to follow: all count
        ([call(10), call(0, lost=True)], 1, 1),  # in any order
    ],
)
def test_fresh(calls: list[PastCall], fresh_calls: float, losses: float) -> None:
    assert totals(fresh(calls, ZONE)) == (fresh_calls, losses)


def test_unknown_callers_are_thought_to_dial_again_like_the_known() -> None:
    known = [call(0, lost=True), call(5, lost=True), call(10), call(100)]
    result = fresh([*known, call(1, "", lost=True), call(2, "")], ZONE)
    # of the known ones' two lost calls one was fresh, and of the two that were served, one
    assert totals(result) == (2 + 0.5 + 0.5, 1 + 0.5)
    assert result.redial_share == 0.5
    assert result.unknown_share == pytest.approx(2 / 6)
    assert result.calls[next(iter(result.calls))][18] == 2


calls_of_a_day = st.lists(
    st.builds(
        lambda minute, caller, lost, own: call(minute, caller, lost=lost, own=own),
        st.floats(0, 600),
        st.sampled_from(["", "a", "b", "c"]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=30,
)


@given(calls_of_a_day)
def test_no_more_is_fresh_than_came(calls: list[PastCall]) -> None:
    fresh_calls, losses = totals(fresh(calls, ZONE))
    came = [one for one in calls if not one.own]
    assert fresh_calls <= len(came) + 1e-9
    assert losses <= sum(one.lost for one in came) + 1e-9
    assert losses <= fresh_calls + 1e-9
    callers = {one.caller for one in came if one.caller}
    assert fresh_calls >= len(callers)


@given(calls_of_a_day)
def test_without_losses_everything_is_fresh(calls: list[PastCall]) -> None:
    served = [one for one in calls if not one.lost]
    assert totals(fresh(served, ZONE)) == (sum(not one.own for one in served), 0)


@given(st.floats(0, 1000), st.floats(0, 0.9), st.floats(0, 0.9))
def test_redials_add_up_as_a_series(calls: float, lost: float, again: float) -> None:
    series = sum(calls * (lost * again) ** times for times in range(400))
    assert observed(calls, lost, again) == pytest.approx(series)
