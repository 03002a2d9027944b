"""What a half hour needs, and what follows from it for callbacks."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.errors import SchedulerError
from scheduler.staffing.erlang import OfferedTraffic, Target, needed, waiting
from scheduler.staffing.planning.evidence import called_back
from scheduler.staffing.planning.need import Callback, Need, StaffingTerms, day_need, need, on_roster

BACK = StaffingTerms(target=None)
calls = st.floats(0, 150)
losses = st.floats(0, 60)
handling = st.floats(20, 600)
patience = st.floats(10, 3000)


def test_need_by_hand() -> None:
    terms = StaffingTerms(Target(0.8, 20), Callback(tries=1, ring_s=10, answered_share=1), again_share=0, shrinkage=0.3)
    result = need(100, 9, 180, math.inf, terms)
    assert result.inbound == 14
    assert result.callbacks == math.ceil(10 + 9 * 190 / 1800 + 1)
    assert result == Need(14, 12, 20)
    assert result.at_work == 14


def test_callbacks_alone_need_the_load_and_one_to_spare() -> None:
    assert need(100, 0, 180, 60, BACK).at_work == 11
    assert need(0, 0, 180, 60, BACK) == Need(0, 0, 0)


def test_who_dials_again_is_load_as_well() -> None:
    once, again = (need(300, 0, 200, 100, StaffingTerms(again_share=share)).inbound for share in (0, 1))
    assert once < again


@given(calls, losses, handling, patience, st.floats(1, 50))
def test_more_work_never_needs_fewer(
    count: float, lost: float, handling_s: float, patience_s: float, more: float
) -> None:
    now = need(count, lost, handling_s, patience_s, StaffingTerms())
    assert now.at_work <= need(count + more, lost, handling_s, patience_s, StaffingTerms()).at_work
    assert now.at_work <= need(count, lost + more, handling_s, patience_s, StaffingTerms()).at_work
    assert now.at_work <= need(count, lost, handling_s + more, patience_s, StaffingTerms()).at_work


@given(calls, losses, handling, patience)
def test_the_target_is_held(count: float, lost: float, handling_s: float, patience_s: float) -> None:
    terms = StaffingTerms()
    result = need(count, lost, handling_s, patience_s, terms)
    assert terms.target is not None
    held = waiting(OfferedTraffic(count / 1800, handling_s), result.at_work, patience_s, terms.target.within_s)
    assert terms.target.is_met(held)
    assert result.inbound >= needed(OfferedTraffic(count / 1800, handling_s), terms.target, patience_s)


@given(calls, losses, handling)
def test_so_many_agents_have_time_for_all_callbacks(count: float, lost: float, handling_s: float) -> None:
    agents = need(count, lost, handling_s, 60, BACK).at_work
    spare_s = agents * 1800 - count * handling_s
    (in_time,), (left,) = called_back([spare_s], [lost], BACK.callback.seconds(handling_s))
    assert in_time == pytest.approx(lost)
    assert left == pytest.approx(0)


@given(st.integers(0, 500), st.floats(0, 0.9))
def test_shrinkage_is_made_up_for(at_work: int, shrinkage: float) -> None:
    roster = on_roster(at_work, shrinkage)
    assert roster * (1 - shrinkage) >= at_work - 1e-6
    assert roster == 0 or (roster - 1) * (1 - shrinkage) < at_work


def test_a_day() -> None:
    result = day_need([0.0, 100.0, 100.0], [0.0, 0.0, 20.0], lambda number: 100.0 * number, 60, BACK)
    assert [each.at_work for each in result] == [0, math.ceil(100 / 18 + 1), math.ceil(200 / 18 + 20 * 210 / 1800 + 1)]


@pytest.mark.parametrize("terms", [{"shrinkage": 1.0}, {"again_share": 2.0}, {"callback_spare": -1.0}])
def test_terms_nobody_means_are_refused(terms: dict[str, float]) -> None:
    with pytest.raises(SchedulerError, match="mend what is not"):
        StaffingTerms(**terms)  # type: ignore[arg-type]
