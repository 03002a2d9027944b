"""Alarms: how many promises will be missed, and the least number of agents more that would keep them."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.clock import MINUTE, SECOND
from scheduler.errors import SchedulerError
from scheduler.promise_forecast import Crew, Due, PromiseForecast, changed, forecast, hopeless, schedule

NOW = 1_000_000 * SECOND


def due(by_min: float, from_min: float = 0) -> Due:
    return Due(NOW + round(from_min * MINUTE), NOW + round(by_min * MINUTE))


def crew(spare: float, handle_min: float = 5) -> Crew:
    return Crew(spare, handle_min * 60)


@pytest.mark.parametrize(
    ("dues", "spare", "expected"),
    [
        ([], 1, PromiseForecast(0, 0, 0, NOW)),
        ([due(60)] * 13, 1, PromiseForecast(13, 0, 0, NOW + 65 * MINUTE)),  # the last one begins at the minute promised
        ([due(60)] * 14, 1, PromiseForecast(14, 1, 1, NOW + 35 * MINUTE)),
        ([due(59)] * 30, 1, PromiseForecast(30, 18, 2, NOW + 50 * MINUTE)),
        ([due(10)] * 3, 0, PromiseForecast(3, 3, 1, NOW + 15 * MINUTE)),
        ([due(60)] * 6, 0.5, PromiseForecast(6, 0, 0, NOW + 60 * MINUTE)),  # half an agent: every ten minutes
        ([due(60)], -1.5, PromiseForecast(1, 1, 2, NOW + 10 * MINUTE)),  # one and a half are missing for live callers
        (
            [due(20, from_min=30)],
            5,
            PromiseForecast(1, 0, 0, NOW),
        ),  # no agent could keep it: it is not to be called by then
        ([due(10, from_min=10)], 0, PromiseForecast(1, 1, 1, NOW + 15 * MINUTE)),
    ],
)
def test_what_will_be_missed_and_what_would_hold_it(dues: list[Due], spare: float, expected: PromiseForecast) -> None:
    assert forecast(dues, crew(spare), NOW) == expected


def test_the_sentence_of_the_practice() -> None:
    """Fourteen of those lost at noon will miss their hour; two more agents would hold it."""
    told = forecast([due(60)] * 40, crew(2), NOW)
    assert (told.missed, told.more) == (14, 2)


DUES = st.builds(due, st.integers(0, 90), st.one_of(st.just(0), st.integers(0, 60)))
CREWS = st.builds(crew, st.sampled_from([-2.3, -0.5, 0, 0.25, 0.7, 1, 1.5, 3]), st.sampled_from([1, 3, 7]))


@given(st.lists(DUES, max_size=40), CREWS)
def test_so_many_more_agents_hold_it_and_one_less_does_not(dues: list[Due], crew: Crew) -> None:
    told = forecast(dues, crew, NOW)
    hopeless = schedule(dues, crew, 1000, NOW).missed
    assert schedule(dues, crew, told.more, NOW).missed == hopeless
    if told.more > 0:
        assert schedule(dues, crew, told.more - 1, NOW).missed > hopeless
    assert told.missed == schedule(dues, crew, 0, NOW).missed - hopeless
    assert (told.missed == 0) == (told.more == 0)


@given(st.lists(DUES, max_size=40), CREWS, DUES)
def test_more_agents_keep_no_less_and_more_callbacks_are_no_easier(dues: list[Due], crew: Crew, another: Due) -> None:
    missed = [schedule(dues, crew, more, NOW).missed for more in range(6)]
    assert missed == sorted(missed, reverse=True)
    for more in range(6):
        assert missed[more] <= schedule([*dues, another], crew, more, NOW).missed <= missed[more] + 1


@given(st.lists(st.builds(due, st.integers(0, 6), st.integers(0, 4)), max_size=6), st.integers(1, 2))
def test_no_order_keeps_more(dues: list[Due], agents: int) -> None:
    """Against all ways to give each slot of a minute to some: the greatest set that can be kept."""

    def kept(chosen: tuple[Due, ...]) -> bool:
        """Whether all of these can: by Hall's theorem, no stretch of slots is asked for more than it has."""
        spans = [((one.begins_at - NOW) // MINUTE, (one.deadline_at - NOW) // MINUTE) for one in chosen]
        stretches = [(low, high) for low, _ in spans for _, high in spans if low <= high]
        fits = all(
            sum(low <= a and b <= high for a, b in spans) <= agents * (high - low + 1) for low, high in stretches
        )
        return fits and all(low <= high for low, high in spans)

    most = max(n for n in range(len(dues) + 1) for chosen in combinations(dues, n) if kept(chosen))
    assert schedule(dues, Crew(agents, 60), 0, NOW).missed == len(dues) - most


@pytest.mark.parametrize(
    ("missed", "more", "again"),
    [(14, 2, False), (20, 2, False), (22, 2, True), (6, 2, True), (14, 3, True), (14, 1, False)],
)
def test_it_is_told_again_only_when_it_changes_much(missed: int, more: int, again: bool) -> None:
    assert changed(PromiseForecast(40, 14, 2, NOW), PromiseForecast(40, missed, more, NOW + MINUTE)) == again


def test_a_callback_takes_some_time() -> None:
    with pytest.raises(SchedulerError, match="handle_s"):
        Crew(1, 0)


def test_agents_who_go_begin_nothing_from_then_on() -> None:
    dues = [due(60)] * 12
    assert schedule(dues, crew(0), 2, NOW).missed == 0
    assert schedule(dues, crew(0), 2, NOW, NOW + 30 * MINUTE).missed == 0, "the twelfth begins at minute 25"
    assert schedule(dues, crew(0), 2, NOW, NOW + 25 * MINUTE).missed == 2
    assert schedule(dues, crew(1), 2, NOW, NOW).missed == 0


@given(st.lists(DUES, max_size=40), CREWS, st.integers(0, 3), st.one_of(st.none(), st.integers(0, 90)))
def test_each_promise_is_begun_in_time_or_broken(dues: list[Due], crew: Crew, more: int, until_min: int | None) -> None:
    until_at = None if until_min is None else NOW + until_min * MINUTE
    found = schedule(dues, crew, more, NOW, until_at)
    assert sorted([*found.broken, *(one for one, _ in found.begun)], key=repr) == sorted(dues, key=repr)
    assert all(max(NOW, one.begins_at) <= at <= one.deadline_at for one, at in found.begun)
    alone = schedule(dues, crew, 0, NOW)
    staying = schedule(dues, crew, more, NOW)
    assert staying.missed <= found.missed
    assert found.missed <= alone.missed
    if until_at is None:
        assert found == staying


@given(st.lists(DUES, max_size=40), CREWS)
def test_no_number_of_agents_keeps_the_hopeless_ones_and_enough_keep_all_others(dues: list[Due], crew: Crew) -> None:
    everybody = schedule(dues, crew, len(dues) + 3, NOW)
    assert sorted(everybody.broken, key=repr) == sorted(hopeless(dues, crew, NOW), key=repr)
    assert forecast(dues, crew, NOW).missed == schedule(dues, crew, 0, NOW).missed - everybody.missed


def test_who_is_called_at_once_goes_first_in_the_lane_and_is_called_after_the_own_deadline_too() -> None:
    first = Due(NOW, NOW + 10 * MINUTE, 7, at_once=True, severity=9)
    assert begun([due(5), due(10), first]) == [(7, 0), (0, 5), (0, 10)]
    late = Due(NOW, NOW - 10 * MINUTE, 8, at_once=True, severity=9)
    assert begun([due(5), due(10), late]) == [(0, 0), (0, 5), (8, 10)]
    assert schedule([late], crew(0.25), 0, NOW).begun == ((late, NOW + 15 * MINUTE),)
    assert schedule([late], crew(0), 0, NOW).broken == (late,), "nobody is there"


def begun(dues: list[Due]) -> list[tuple[int, int]]:
    return [(one.reservation, (at - NOW) // MINUTE) for one, at in schedule(dues, crew(1), 0, NOW).begun]


def lane_of(number: int, aim_min: int, severity: int = 0) -> Due:
    """Somebody whose aim is half an hour before the deadline."""
    aim_at = NOW + aim_min * MINUTE
    return Due(NOW, aim_at + 30 * MINUTE, number, aim_at=aim_at, severity=severity)


def test_they_are_called_as_the_service_calls_them() -> None:
    """Within the aim the oldest first, then the newest within the window, and the most severe of a lane before both."""
    dues = [lane_of(1, -20), lane_of(2, -10), lane_of(3, 6), lane_of(4, 20), lane_of(5, -25, severity=3)]
    assert begun(dues) == [(3, 0), (4, 5), (2, 10)]
    assert begun([*dues, lane_of(6, 20, severity=1)]) == [(6, 0), (3, 5), (4, 10), (2, 15)]
