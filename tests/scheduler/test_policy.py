"""By which policy callbacks are begun: turns, prices, and what a bound agent costs live callers."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.candidate import IN_AIM, IN_WINDOW, Candidate
from scheduler.clock import HOUR, MINUTE
from scheduler.errors import SchedulerError
from scheduler.policy import (
    DEFAULT,
    FIFO,
    IN_TIME,
    NEWEST,
    CallbackPolicy,
    Lane,
    QueueLoad,
    binds,
    cost,
    held_back,
    turn,
)
from tests.scheduler.moments import at

NOW = at("2025-11-21 12:00")


def hang_ups(load: QueueLoad) -> float:
    """The share of callers who hang up in the long run: what an agent costs who is bound when all are idle."""
    return cost(replace(load, idle=load.staffed))


def lost(minutes_ago: int, queue: str = "sales") -> Candidate:
    start = NOW - minutes_ago * MINUTE
    return Candidate(minutes_ago, queue, "abandoned", start, start + 30 * MINUTE, start + HOUR, due_at=start)


@pytest.mark.parametrize(
    ("policy", "order"),
    [(FIFO, [90, 40, 35, 20, 5]), (NEWEST, [5, 20, 35, 40, 90]), (IN_TIME, [20, 5, 35, 40])],
)
def test_whose_turn_it_is(policy: CallbackPolicy, order: list[int]) -> None:
    turns = [(when, ago) for ago in (5, 20, 35, 40, 90) if (when := turn(lost(ago), policy, NOW)) is not None]
    assert [ago for _, ago in sorted(turns)] == order


def test_in_a_lane_who_was_let_down_worst_goes_first() -> None:
    badly, longer, late = replace(lost(5), severity=1), lost(20), replace(lost(35), severity=9)
    assert sorted([late, longer, badly], key=lambda one: turn(one, DEFAULT, NOW) or ()) == [badly, longer, late]
    assert sorted([badly, longer], key=lambda one: turn(one, FIFO, NOW) or ()) == [longer, badly]


# Nobody waits: a loss system with one erlang offered, of whose callers half are blocked
HALF = QueueLoad(staffed=1, idle=1, calls_s=0.01, handle_s=100, patience_s=1e-6)


@pytest.mark.parametrize(
    ("standing", "queue", "spare", "word"),
    [
        (IN_AIM, "sales", 2, None),
        (IN_AIM, "sales", 1, "kept-free"),
        (IN_WINDOW, "sales", 2, "too-dear"),
        (IN_WINDOW, "short", 2, None),  # it takes half the time
        (IN_WINDOW, "sales", 1, "kept-free"),
    ],
)
def test_a_callback_is_held_back_for_agents_kept_free_and_for_its_price(
    standing: str, queue: str, spare: int, word: str | None
) -> None:
    policy = CallbackPolicy({IN_AIM: Lane(price=0.51), IN_WINDOW: Lane(price=0.26)}, keep=1, handle_s={"short": 50.0})
    assert held_back(queue, standing, policy, spare, HALF) == word
    assert held_back(queue, standing, policy, 2, None) is None, "nobody knows the load"


@pytest.mark.parametrize(("minutes_ago", "does"), [(54, False), (55, True), (60, True), (61, False)])
def test_a_deadline_binds_for_its_last_minutes(minutes_ago: int, *, does: bool) -> None:
    assert binds(lost(minutes_ago), replace(DEFAULT, bind_s=300), NOW) is does
    assert not binds(lost(minutes_ago), replace(DEFAULT, bind_s=0), NOW)


def test_one_agent_who_is_bound_costs_what_the_chain_says() -> None:
    assert hang_ups(HALF) == pytest.approx(0.5, rel=1e-3)
    assert cost(HALF) == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("idle", [0, 1, 100, 200])
def test_what_is_too_small_for_a_number_is_no_fault(idle: int) -> None:
    assert 0 <= cost(QueueLoad(staffed=200, idle=idle, calls_s=1e-6, handle_s=10, patience_s=10)) < 1e-6
    assert cost(QueueLoad(staffed=0, idle=0, calls_s=1, handle_s=10, patience_s=10)) == 0


loads = st.builds(
    QueueLoad,
    staffed=st.integers(1, 40),
    idle=st.integers(1, 40),
    calls_s=st.floats(0.001, 0.5),
    handle_s=st.floats(30, 600),
    patience_s=st.floats(10, 2000),
)


@given(loads)
def test_a_bound_agent_costs_less_than_one_caller_by_him_and_more_the_fewer_are_idle(load: QueueLoad) -> None:
    costs = [cost(replace(load, idle=idle)) for idle in range(load.staffed, 0, -1)]
    assert costs == sorted(costs)
    assert 0 <= costs[0] <= costs[-1] < inf


@given(loads)
def test_with_more_agents_fewer_hang_up(load: QueueLoad) -> None:
    assert 0 <= hang_ups(replace(load, staffed=load.staffed + 1)) <= hang_ups(load) + 1e-6 <= 1 + 1e-6


@given(loads)
def test_shares_agree_with_the_plain_sum_over_states(load: QueueLoad) -> None:
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
    "faulty",
    [
        {"lanes": {}},
        {"lanes": {"soon": Lane()}},
        {"lanes": {IN_AIM: Lane()}, "keep": -1},
        {"lanes": {IN_AIM: Lane()}, "bind_s": -1},
    ],
)
def test_what_nobody_could_mean_is_refused(faulty: dict[str, object]) -> None:
    with pytest.raises(SchedulerError, match=r"name some of|let both be"):
        CallbackPolicy(**faulty)  # type: ignore[arg-type]
