"""What next after an attempt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler import clock
from scheduler.clock import SECOND
from scheduler.errors import SchedulerError
from scheduler.hours import Hours
from scheduler.retry import OUTCOMES, TABLE, GiveUp, Retry, RetryPolicy, Settle, after, due_at
from telephony.dialling import outcome as telephony_outcome
from tests.scheduler.moments import at, hours, instants, shown, zones

SITE = Hours(clock.zone("Asia/Shanghai"))
NO_FAULT_OF_HIS = {"trunk-failure", "agent-no-answer", "agent-cancelled", "refused-late"}

outcomes = st.sampled_from(OUTCOMES)


def test_every_outcome_has_a_row() -> None:
    assert set(TABLE) == {
        *("reached", "busy", "no-answer", "declined", "invalid-number", "machine", "customer-left"),
        *("trunk-failure", "agent-no-answer", "agent-cancelled", "refused-late", "refused-used", "unknown"),
    }


def test_every_outcome_that_telephony_names_has_a_row() -> None:
    assert {row.outcome for row in telephony_outcome.TABLE} <= set(OUTCOMES)


@pytest.mark.parametrize(
    ("outcome", "minutes", "counts", "since"),
    [
        ("busy", 5, True, "outcome"),
        ("no-answer", 15, True, "outcome"),
        ("declined", 30, True, "outcome"),
        ("machine", 15, True, "outcome"),
        ("customer-left", 5, True, "outcome"),
        ("trunk-failure", 1, False, "outcome"),
        ("agent-no-answer", 1, False, "outcome"),
        ("agent-cancelled", 1, False, "outcome"),
        ("refused-late", 1, False, "ring-end"),
        ("refused-used", 15, True, "ring-end"),
        ("unknown", 15, True, "ring-end"),
    ],
)
def test_when_it_is_tried_again(outcome: str, minutes: int, counts: bool, since: str) -> None:
    assert after(outcome, 0, RetryPolicy()) == Retry(minutes * 60, counts, since)  # type: ignore[arg-type]


def test_reached_settles_and_an_invalid_number_is_given_up_at_once() -> None:
    assert after("reached", 0, RetryPolicy()) == Settle("reached")
    assert after("invalid-number", 0, RetryPolicy()) == GiveUp("invalid-number")


@given(outcomes, st.integers(0, 10), st.integers(1, 5))
def test_only_what_counts_uses_up_tries(outcome: str, tries: int, max_tries: int) -> None:
    following = after(outcome, tries, RetryPolicy(max_tries))
    if outcome in NO_FAULT_OF_HIS:
        assert isinstance(following, Retry)
        assert not following.counts
        assert following.after_s > 0
    elif isinstance(following, Retry):
        assert following.counts
        assert tries + 1 < max_tries


@given(st.lists(outcomes, min_size=1, max_size=40), st.integers(1, 5))
def test_nobody_is_tried_more_often_than_the_policy_says(ended: list[str], max_tries: int) -> None:
    tries = 0
    for outcome in ended:
        following = after(outcome, tries, RetryPolicy(max_tries))
        if not isinstance(following, Retry):
            break
        tries += following.counts
    assert tries < max_tries


@given(st.data())
def test_a_retry_is_due_when_phones_may_ring_and_never_early(data: st.DataObject) -> None:
    zone = data.draw(zones)
    site, now = data.draw(hours(zone)), data.draw(instants(zone))
    ring_until = now + data.draw(st.integers(-3600, 3600)) * SECOND
    following = after(data.draw(outcomes), 0, RetryPolicy())
    if not isinstance(following, Retry):
        return
    due = due_at(following, site, now, ring_until, longest_ring_s=60)
    assert site.may_ring(due)
    assert due >= now + following.after_s * SECOND
    assert following.since == "outcome" or due >= ring_until + 60 * SECOND


@pytest.mark.parametrize(
    ("outcome", "now", "ring_until", "due"),
    [
        ("busy", "2025-11-21 10:00", "2025-11-21 10:02", "2025-11-21 10:05"),
        ("busy", "2025-11-21 21:28", "2025-11-21 21:30", "2025-11-22 08:00"),
        ("refused-late", "2025-11-21 21:30", "2025-11-21 21:30", "2025-11-22 08:00"),
        ("refused-late", "2025-11-21 21:29:59", "2025-11-21 21:30", "2025-11-22 08:00"),  # our clock is slow
        ("unknown", "2025-11-21 10:00", "2025-11-21 10:02", "2025-11-21 10:15"),
        ("unknown", "2025-11-21 10:00", "2025-11-21 10:20", "2025-11-21 10:21"),
    ],
)
def test_when_a_retry_is_due(outcome: str, now: str, ring_until: str, due: str) -> None:
    following = after(outcome, 0, RetryPolicy())
    assert isinstance(following, Retry)
    assert shown(due_at(following, SITE, at(now), at(ring_until), longest_ring_s=60)) == due


def test_a_site_may_wait_otherwise() -> None:
    assert after("busy", 0, RetryPolicy(after_s={"busy": 120})) == Retry(120, counts=True)
    assert after("no-answer", 0, RetryPolicy(after_s={"busy": 120})) == Retry(900, counts=True)


@pytest.mark.parametrize(
    ("max_tries", "after_s", "fault"),
    [
        (0, {}, "max_tries=0"),
        (3, {"reached": 60}, "'reached'"),
        (3, {"engaged": 60}, "'engaged'.*busy"),
        (3, {"busy": -1}, "'busy' is -1"),
    ],
)
def test_settings_that_mean_nothing_are_refused(max_tries: int, after_s: dict[str, int], fault: str) -> None:
    with pytest.raises(SchedulerError, match=fault):
        RetryPolicy(max_tries, after_s)


def test_an_outcome_that_is_none_is_named() -> None:
    with pytest.raises(SchedulerError, match=r"'engaged' is none of reached, busy"):
        after("engaged", 0, RetryPolicy())
