"""A trunk's breaker: several failures of its own in a row, and it rests; one attempt at a time is its trial."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.breaker import FAILURE, IN_A_ROW, LONGEST_REST_S, PROOFS, REST_S, TELLING, Tried, rests_until
from scheduler.clock import SECOND
from scheduler.retry import OUTCOMES, TABLE, Retry


def row(history: str) -> list[Tried]:
    """An attempt each minute, over in a second: f failed, p proved the trunk."""
    return [Tried(n * 60 * SECOND, (n * 60 + 1) * SECOND, one == "f") for n, one in enumerate(history)]


def at(attempt: int, rest_s: int) -> int:
    """The end of a rest that the end of this attempt began."""
    return (attempt * 60 + 1 + rest_s) * SECOND


@pytest.mark.parametrize(
    ("history", "until"),
    [
        ("", None),
        ("ff", None),
        ("ffpff", None),
        ("fff", at(2, 30)),
        ("pppfff", at(5, 30)),
        ("ffff", at(3, 60)),  # the trial failed, too
        ("fffp", None),
        ("fffffp", None),
        ("fffpff", None),
        ("fffpfff", at(6, 30)),  # it begins anew
    ],
)
def test_it_rests_after_several_failures_in_a_row(history: str, until: int | None) -> None:
    assert rests_until(row(history)) == until


def test_each_failed_trial_doubles_the_rest_up_to_the_longest() -> None:
    tried: list[Tried] = row("fff")
    rests = []
    for _ in range(7):
        until = rests_until(tried)
        assert until is not None
        rests.append((until - tried[-1].ended_at) // SECOND)
        tried.append(Tried(until, until + SECOND, failed=True))
    assert rests == [30, 60, 120, 240, 480, 600, 600]


def test_attempts_under_way_when_it_began_to_rest_are_no_trials() -> None:
    crowd = [Tried(n, 10 * SECOND + n, failed=True) for n in range(9)]
    assert rests_until(crowd) == crowd[IN_A_ROW - 1].ended_at + REST_S * SECOND


def test_a_talk_that_began_before_the_failures_proves_nothing_of_now() -> None:
    long_talk = Tried(0, 9999 * SECOND, failed=False)
    assert rests_until([long_talk, *row("pfff")[1:]]) is not None


def test_outcomes_that_tell_are_known_and_failures_cost_nobody_a_try() -> None:
    assert set(TELLING) <= set(OUTCOMES)
    failure = TABLE[FAILURE]
    assert isinstance(failure, Retry)
    assert not failure.counts
    assert not {"agent-no-answer", "agent-cancelled", "refused-late", "refused-used", "unknown"} & set(PROOFS)


@given(st.lists(st.booleans(), max_size=60), st.lists(st.integers(1, 700), min_size=60, max_size=60))
def test_whatever_happened_it_rests_only_after_failures_and_never_too_long(failed: list[bool], gaps: list[int]) -> None:
    tried: list[Tried] = []
    for one, gap_s in zip(failed, gaps, strict=False):
        before = tried[-1].ended_at if tried else 0
        tried.append(Tried(before + gap_s * SECOND, before + (gap_s + 1) * SECOND, one))
    until = rests_until(tried)
    if until is None:
        assert len(tried) < IN_A_ROW or not all(one.failed for one in tried[-IN_A_ROW:])
    else:
        assert all(one.failed for one in tried[-IN_A_ROW:])
        assert until - tried[-1].ended_at <= LONGEST_REST_S * SECOND
        assert rests_until([*tried, Tried(until, until + 1, failed=False)]) is None
