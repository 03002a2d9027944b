"""Evidence for hints: callbacks by sums, and how days are counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.staffing.halfhours import A_DAY
from scheduler.staffing.planning.evidence import EstimatedReplay, ReplayedDay, called_back, evidence
from scheduler.staffing.planning.hints import hints, proved, words
from scheduler.staffing.planning.need import StaffingTerms

TUESDAY = date(2025, 9, 2)
NONE = (0.0,) * A_DAY


def at(number: int, count: float) -> tuple[float, ...]:
    return tuple(count if slot == number else 0.0 for slot in range(A_DAY))


@pytest.mark.parametrize(
    ("spare_s", "losses", "in_time", "waiting"),
    [
        ([100, 100], [10, 0], [10, 0], [0, 0]),
        ([50, 50], [10, 0], [10, 0], [5, 0]),  # half an hour later is in time
        ([0, 0, 100], [10, 0, 0], [0, 0, 0], [10, 10, 0]),  # late, but called
        ([0, 30, 100], [5, 5, 5], [3, 5, 5], [5, 7, 2]),  # those in time go before those overdue
        ([0, 0, 50], [5, 0, 5], [0, 0, 5], [5, 5, 5]),
    ],
)
def test_callbacks_by_hand(
    spare_s: list[float], losses: list[float], in_time: list[float], waiting: list[float]
) -> None:
    called, left = called_back(spare_s, losses, 10)
    assert list(called) == pytest.approx(in_time)
    assert list(left) == pytest.approx(waiting)


half_hours = st.lists(st.tuples(st.floats(0, 5000), st.floats(0, 40)), min_size=1, max_size=12)


@given(half_hours, st.floats(20, 400))
def test_callers_are_called_or_wait(pairs: list[tuple[float, float]], each_s: float) -> None:
    spare_s, losses = [seconds for seconds, _ in pairs], [lost for _, lost in pairs]
    in_time, waiting = called_back(spare_s, losses, each_s)
    assert all(-1e-9 <= called <= lost + 1e-9 for called, lost in zip(in_time, losses, strict=True))
    assert sum(in_time) <= sum(spare_s) / each_s + 1e-6
    assert sum(in_time) + waiting[-1] <= sum(losses) + 1e-6
    assert waiting[-1] >= sum(losses) - sum(spare_s) / each_s - 1e-6
    assert min(waiting) >= -1e-9


@given(half_hours, st.floats(20, 400), st.integers(0, 11), st.floats(1, 4000))
def test_more_time_keeps_more(pairs: list[tuple[float, float]], each_s: float, where: int, more: float) -> None:
    spare_s, losses = [seconds for seconds, _ in pairs], [lost for _, lost in pairs]
    before = sum(called_back(spare_s, losses, each_s)[0])
    spare_s[where % len(pairs)] += more
    assert sum(called_back(spare_s, losses, each_s)[0]) >= before - 1e-9


def only_with(agents: int, number: int = 20) -> object:
    """Give a replay in which callers lost in half hour `number` are dialled where so many agents are at work."""

    def replay(day: date, staff: Sequence[int]) -> ReplayedDay:
        lost = at(number, 10)
        bonus = (day - TUESDAY).days // 7  # each week asks for one agent less
        dialled = lost if staff[number] + bonus >= agents else at(number, 8)
        return ReplayedDay(at(number, 100), lost, lost, dialled, dialled)

    return replay


def test_evidence_counts_days_with_and_without() -> None:
    days = [TUESDAY + timedelta(days=7 * week) for week in range(8)]
    present = [5] * A_DAY
    (hint,) = hints(1, [5 if slot != 20 else 8 for slot in range(A_DAY)], present)
    (shown,) = proved([hint], present, days, only_with(9))  # type: ignore[arg-type]
    assert str(shown.evidence) == "7 of the last 8 Tue would have kept 90% in 30 min; without: 4 of 8"
    assert shown.evidence is not None
    assert shown.evidence.dialled_share == pytest.approx(78 / 80)
    assert shown.evidence.dialled_share_without == pytest.approx((4 * 8 + 4 * 10) / 80)
    assert shown.evidence.hung_up_share == pytest.approx(0.1)


def test_what_is_to_spare_needs_no_evidence() -> None:
    found = hints(1, [3] * A_DAY, [5] * A_DAY)
    assert proved(found, [5] * A_DAY, [TUESDAY], only_with(1)) == found  # type: ignore[arg-type]
    assert words(found) == ["Tue 00:00-24:00: 2 to spare"]


def test_a_day_without_losses_is_kept() -> None:
    held = ReplayedDay(at(3, 10), NONE, NONE, NONE, NONE)
    assert held.kept()
    assert ReplayedDay(at(3, 10), at(3, 2), at(3, 2), at(3, 1), at(3, 1)).kept() is False
    assert ReplayedDay(at(3, 10), at(3, 2), at(3, 2), at(3, 1), at(3, 1)).kept([4])


def reckoned(had: int) -> EstimatedReplay:
    calls, losses = at(20, 100), at(20, 12)
    return EstimatedReplay(
        {TUESDAY: calls}, {TUESDAY: losses}, lambda _: [had] * A_DAY, lambda _: 180, 120, StaffingTerms()
    )


def test_the_day_comes_out_as_it_was_with_the_staff_it_had() -> None:
    assert reckoned(9)(TUESDAY, [9] * A_DAY).lost == at(20, 12)


@given(st.integers(1, 20), st.integers(0, 20))
def test_more_staff_loses_fewer_and_calls_more_back(had: int, agents: int) -> None:
    few, more = (reckoned(had)(TUESDAY, [number] * A_DAY) for number in (agents, agents + 1))
    assert sum(more.lost) <= sum(few.lost) + 1e-9
    assert sum(few.lost) <= 100
    assert sum(more.lost) - sum(more.dialled) <= sum(few.lost) - sum(few.dialled) + 1e-9


def test_evidence_takes_the_days_own_staff() -> None:
    shown = evidence(reckoned(12), [TUESDAY], [20], [14] * A_DAY, lambda _: [12] * A_DAY)
    assert (shown.days, shown.kept, shown.kept_without) == (1, 1, 1)
    assert shown.hung_up_share_without == pytest.approx(0.12)
    assert (shown.hung_up_share or 0) < 0.12
    assert shown.reached_share == pytest.approx(0.93 * (shown.dialled_share or 0))


def test_where_nobody_was_lost_nothing_is_proved_and_a_share_of_nobody_is_none() -> None:
    quiet = EstimatedReplay(
        {TUESDAY: at(20, 9)}, {TUESDAY: NONE}, lambda _: [9] * A_DAY, lambda _: 180, 120, StaffingTerms()
    )
    shown = evidence(quiet, [TUESDAY], [20, 21], [12] * A_DAY, lambda _: [9] * A_DAY)
    assert (shown.dialled_share, shown.reached_share_without, shown.hung_up_share) == (None, None, 0)
    assert str(shown) == "nobody was lost then on the last 1 Tue"
    assert shown.estimate() == "estimated from 1 Tue: hang-ups 0.0% to 0.0%"
    nobody = evidence(quiet, [TUESDAY], [21], [12] * A_DAY, lambda _: [9] * A_DAY)
    assert nobody.estimate() == "estimated from 1 Tue: hang-ups of nobody"
