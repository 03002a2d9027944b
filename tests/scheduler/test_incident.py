"""Incidents: when one begins and ends, and how fast those whom it held are let go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.clock import MINUTE, SECOND
from scheduler.errors import SchedulerError
from scheduler.incident import BURST_S, IncidentTerms, State, after_loss, after_time, drain_s, late, let_go

TERMS = IncidentTerms(losses=3, window_s=600, drain_per_min=10)


@pytest.mark.parametrize(
    ("state", "lately", "then"),
    [
        (None, 3, None),
        (None, 4, "holding"),
        ("holding", 0, "holding"),
        ("draining", 3, "draining"),
        ("draining", 4, "holding"),
        ("released", 99, "released"),  # a person's word stands
        ("dropped", 99, "dropped"),
    ],
)
def test_more_losses_than_usual_begin_one(state: State | None, lately: int, then: State | None) -> None:
    assert after_loss(state, lately, TERMS) == then


@pytest.mark.parametrize(
    ("state", "lately", "anybody", "then"),
    [
        ("holding", 3, True, "holding"),  # else the next loss would begin it again
        ("holding", 2, True, "draining"),  # as many as there always are
        ("holding", 0, False, "draining"),
        ("draining", 0, True, "draining"),
        ("draining", 0, False, "over"),
        ("released", 3, False, "released"),
        ("released", 0, True, "released"),
        ("released", 2, False, "over"),
        ("dropped", 3, True, "dropped"),
        ("dropped", 3, False, "dropped"),
        ("dropped", 2, False, "over"),
    ],
)
def test_time_ends_it(state: State, lately: int, anybody: bool, then: State) -> None:
    assert after_time(state, lately, TERMS, anybody=anybody) == then


@given(st.lists(st.integers(0, 200), min_size=1, max_size=80), st.sampled_from([0.5, 1, 10, 60, 333, 1000]))
def test_nobody_is_let_go_faster_than_the_rate_also_after_standing_still(gaps_s: list[int], per_min: float) -> None:
    now = since = 0
    gone: list[tuple[int, int]] = []
    for gap_s in gaps_s:
        now += gap_s * SECOND
        count, since = let_go(since, now, per_min)
        gone.append((now, count))
    for begin, (started, _) in enumerate(gone):
        for end in range(begin, len(gone)):
            lasted = gone[end][0] - started
            count = sum(n for _, n in gone[begin : end + 1])
            assert count <= lasted * per_min / MINUTE * 1.001 + max(1.0, BURST_S * per_min / 60) + 1


@given(st.sampled_from([0.5, 1, 10, 60, 333]))
def test_ticking_every_second_the_rate_is_used_whole(per_min: float) -> None:
    since = total = 0
    for second in range(1, 601):
        count, since = let_go(since, second * SECOND, per_min)
        total += count
    assert abs(total - 10 * per_min) <= 1 + 0.001 * 10 * per_min


def test_terms_that_make_no_sense_are_refused() -> None:
    for wrong in ({"losses": 0}, {"window_s": 0}, {"drain_per_min": 0}):
        with pytest.raises(SchedulerError, match="above 0"):
            IncidentTerms(**wrong)


@pytest.mark.parametrize(
    ("deadlines_min", "per_min", "missed"),
    [
        ([], 10, 0),
        ([15] * 110, 10, 0),
        ([15] * 187, 10, 38),  # the 150th is let go after 15 minutes, which is too late
        ([-1, 0, 5], 1, 2),
        ([2, 2, 2, 9], 1, 2),
        ([60], 0.01, 1),
    ],
)
def test_how_many_promises_letting_go_breaks(deadlines_min: list[int], per_min: float, missed: int) -> None:
    assert late([minutes * MINUTE for minutes in deadlines_min], 0, per_min) == missed
    assert drain_s(len(deadlines_min), per_min) == len(deadlines_min) * 60 / per_min
