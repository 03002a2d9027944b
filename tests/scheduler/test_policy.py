"""By which policy callbacks are begun: turns, prices, and what a bound agent costs live callers."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.clock import HOUR, MINUTE
from scheduler.errors import SchedulerError
from scheduler.order import IN_AIM, IN_WINDOW, Candidate
from scheduler.policy import FIFO, IN_TIME, NEWEST, Lane, Load, Policy, affordable, cost, hang_ups, turn
from tests.scheduler.moments import at

NOW = at("2025-11-21 12:00")


def lost(minutes_ago: int, queue: str = "sales") -> Candidate:
    start = NOW - minutes_ago * MINUTE
    return Candidate(minutes_ago, queue, "abandoned", start, start + 30 * MINUTE, start + HOUR, due_at=start)


@pytest.mark.parametrize(
    ("policy", "order"),
    [(FIFO, [90, 40, 35, 20, 5]), (NEWEST, [5, 20, 35, 40, 90]), (IN_TIME, [20, 5, 35, 40])],
)
def test_whose_turn_it_is(policy: Policy, order: list[int]) -> None:
    turns = [(when, ago) for ago in (5, 20, 35, 40, 90) if (when := turn(lost(ago), policy, NOW)) is not None]
    assert [ago for _, ago in sorted(turns)] == order


def test_a_callback_is_begun_if_enough_agents_stay_free_and_live_callers_can_afford_it() -> None:
    policy = Policy({IN_AIM: Lane(price=0.2), IN_WINDOW: Lane(price=0.1)}, keep=1, handle_s={"short": 50.0})

    def begun(minutes_ago: int, spare: int, cost_now: float, queue: str = "sales") -> bool:
        return affordable(lost(minutes_ago, queue), policy, spare, cost_now, 100.0, NOW)

    assert not begun(5, spare=1, cost_now=0.0)
    assert begun(5, spare=2, cost_now=0.2)
    assert not begun(5, spare=2, cost_now=0.21)
    assert not begun(40, spare=2, cost_now=0.2)
    assert begun(5, spare=2, cost_now=0.4, queue="short")  # it takes half the time


def test_one_agent_who_is_bound_costs_what_the_chain_says() -> None:
    # One agent, and nobody waits (patience near 0): a loss system with one erlang offered, which blocks half.
    load = Load(staffed=1, idle=1, calls_s=0.01, handle_s=100, patience_s=1e-6)
    assert hang_ups(load) == pytest.approx(0.5, rel=1e-3)
    assert cost(load) == pytest.approx(0.5, rel=1e-3)


loads = st.builds(
    Load,
    staffed=st.integers(1, 40),
    idle=st.integers(1, 40),
    calls_s=st.floats(0.001, 0.5),
    handle_s=st.floats(30, 600),
    patience_s=st.floats(10, 2000),
)


@given(loads)
def test_a_bound_agent_costs_less_than_one_caller_by_him_and_more_the_fewer_are_idle(load: Load) -> None:
    costs = [cost(replace(load, idle=idle)) for idle in range(load.staffed, 0, -1)]
    assert costs == sorted(costs)
    assert 0 <= costs[0] <= costs[-1] < inf


@given(loads)
def test_with_more_agents_fewer_hang_up(load: Load) -> None:
    assert 0 <= hang_ups(replace(load, staffed=load.staffed + 1)) <= hang_ups(load) + 1e-6 <= 1 + 1e-6


@given(loads)
def test_shares_agree_with_the_plain_sum_over_states(load: Load) -> None:
    offered, weights, lost_rate, weight = load.calls_s * load.handle_s, 1.0, 0.0, 1.0
    for state in range(1, 3000):
        waiting = max(0, state - load.staffed)
        weight *= load.calls_s / (min(state, load.staffed) / load.handle_s + waiting / load.patience_s)
        weights += weight
        lost_rate += weight * waiting / load.patience_s
        if weights > 1e200:
            weights, lost_rate, weight = weights / 1e200, lost_rate / 1e200, weight / 1e200
    assert offered > 0
    assert hang_ups(load) == pytest.approx(lost_rate / weights / load.calls_s, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize(
    "faulty", [{"lanes": {}}, {"lanes": {"soon": Lane()}}, {"lanes": {IN_AIM: Lane()}, "keep": -1}]
)
def test_what_nobody_could_mean_is_refused(faulty: dict[str, object]) -> None:
    with pytest.raises(SchedulerError, match=r"name some of|let it be"):
        Policy(**faulty)  # type: ignore[arg-type]
