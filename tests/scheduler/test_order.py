"""Whom to call next, and why not the others."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler import clock
from scheduler.clock import HOUR, MINUTE, SECOND
from scheduler.hours import Hours
from scheduler.order import Call, Candidate, Floor, Wait, choose
from tests.scheduler.moments import at

SITE = Hours(clock.zone("Asia/Shanghai"))
NOW = at("2025-11-21 10:00")
ONE_FREE = Floor(free={"sales": {"PJSIP/1"}}, waiting={}, looking={})


def lost(minutes_ago: int, reservation: int = 1, queue: str = "sales") -> Candidate:
    start = NOW - minutes_ago * MINUTE
    return Candidate(reservation, queue, "abandoned", start, start + 30 * MINUTE, start + HOUR, due_at=start)


@pytest.mark.parametrize(
    ("minutes_ago", "chosen", "lane"),
    [
        ([5, 20, 10], 20, "in-aim"),  # oldest first
        ([5, 40, 55], 5, "in-aim"),  # who can still be called within the aim goes first
        ([40, 55, 31], 31, "in-window"),  # newest first
        ([70, 55, 200], 55, "in-window"),  # overdue never before live
        ([70, 200], 200, "overdue"),
        ([30, 5], 30, "in-aim"),  # the last moment still counts
        ([60, 61], 60, "in-window"),
    ],
)
def test_who_goes_first(minutes_ago: list[int], chosen: int, lane: str) -> None:
    candidates = [lost(minutes, number) for number, minutes in enumerate(minutes_ago)]
    decision = choose(candidates, ONE_FREE, SITE, NOW)
    assert isinstance(decision, Call)
    assert decision.candidate == lost(chosen, minutes_ago.index(chosen))
    assert decision.agents == ("PJSIP/1",)
    assert decision.why[decision.candidate.reservation] == lane


@pytest.mark.parametrize(
    ("candidate", "why", "until"),
    [
        (replace(lost(5), due_at=NOW + 1), "not-due", NOW + 1),
        (replace(lost(5), clock_starts_at=NOW + HOUR), "not-due", NOW + HOUR),
        (replace(lost(5), due_at=at("2025-11-21 23:00")), "not-due", at("2025-11-22 08:00")),
        (replace(lost(5), number_live=True), "number-live", None),
        (replace(lost(5), in_flight=True), "in-flight", None),
        (replace(lost(5), watched=True), "watch", None),
        (lost(5, queue="support"), "no-free-agent", None),
    ],
)
def test_why_not_yet(candidate: Candidate, why: str, until: int | None) -> None:
    assert choose([candidate], ONE_FREE, SITE, NOW) == Wait(until, {1: why})


def test_nobody_is_called_in_quiet_hours() -> None:
    decision = choose([lost(5)], ONE_FREE, SITE, at("2025-11-21 22:00"))
    assert decision == Wait(at("2025-11-22 08:00"), {1: "quiet-hours"})


def test_quiet_hours_end_before_somebody_is_due() -> None:
    candidates = [replace(lost(5), due_at=at("2025-11-22 09:00"))]
    assert choose(candidates, ONE_FREE, SITE, at("2025-11-21 22:00")).why == {1: "quiet-hours"}
    wait = choose(candidates, ONE_FREE, SITE, at("2025-11-21 22:00"))
    assert wait == Wait(at("2025-11-22 09:00"), {1: "quiet-hours"})


def test_with_nobody_to_call_there_is_nothing_to_wait_for() -> None:
    assert choose([], ONE_FREE, SITE, NOW) == Wait(None, {})


@pytest.mark.parametrize(
    ("free", "waiting", "looking", "why"),
    [
        ({"sales": {"a"}}, {"sales": 1}, {}, "callers-waiting"),
        ({"sales": {"a", "b"}}, {"sales": 1}, {}, "in-aim"),
        ({"sales": {"a", "b"}}, {"sales": 1}, {"sales": 1}, "pacing"),
        ({"sales": {"a"}}, {}, {"sales": 1}, "pacing"),
        ({"sales": {"a"}}, {"sales": 9}, {"sales": 9}, "callers-waiting"),
        ({"sales": set()}, {}, {}, "no-free-agent"),
        # one agent in three queues is one agent
        ({"sales": {"a"}, "support": {"a"}, "vip": {"a"}}, {"vip": 1}, {}, "callers-waiting"),
        ({"sales": {"a"}, "support": {"a"}, "vip": {"a"}}, {}, {"support": 1}, "pacing"),
        ({"sales": {"a"}, "support": {"a", "b"}}, {"support": 1}, {}, "in-aim"),  # b can take the caller
        ({"sales": {"a"}, "support": {"a", "b"}}, {"support": 2}, {}, "callers-waiting"),
        ({"sales": {"a"}, "support": {"a", "b"}, "vip": {"b", "c"}}, {"support": 1, "vip": 1}, {}, "in-aim"),
        ({"sales": {"a"}, "support": {"b"}}, {"support": 5}, {}, "in-aim"),  # not ours to take
        ({"sales": {"a"}}, {"closed": 5}, {}, "in-aim"),
    ],
)
def test_live_callers_get_their_agents_first(
    free: dict[str, set[str]], waiting: dict[str, int], looking: dict[str, int], why: str
) -> None:
    assert choose([lost(5)], Floor(free, waiting, looking), SITE, NOW).why == {1: why}


def test_no_more_callbacks_are_begun_than_there_is_room_for() -> None:
    assert choose([lost(5)], replace(ONE_FREE, room=0), SITE, NOW) == Wait(None, {1: "pacing"})


def test_who_has_no_agent_does_not_hold_up_another_queue() -> None:
    decision = choose([lost(20, 1, "support"), lost(5, 2)], ONE_FREE, SITE, NOW)
    assert isinstance(decision, Call)
    assert decision.candidate.reservation == 2
    assert decision.why == {1: "no-free-agent", 2: "in-aim"}


def test_many_agents_and_callers_are_matched_without_delay() -> None:
    queues = [f"q{number}" for number in range(40)]
    free = {queue: [f"agent{number}" for number in range(index, index + 20)] for index, queue in enumerate(queues)}
    floor = Floor(free, dict.fromkeys(queues, 3), dict.fromkeys(queues, 1))
    candidates = [lost(minutes, minutes, queues[minutes % 40]) for minutes in range(200)]
    assert isinstance(choose(candidates, floor, SITE, NOW), Wait)


queue_names = st.sampled_from(["sales", "support", "vip"])
agents = st.sampled_from("abcde")


@st.composite
def candidates(draw: st.DrawFn, reservation: int) -> Candidate:
    one = lost(draw(st.integers(-10, 120)), reservation, draw(queue_names))
    rarely = st.sampled_from([False, False, False, True])
    return replace(
        one,
        due_at=NOW + draw(st.integers(-60, 20)) * MINUTE,
        number_live=draw(rarely),
        in_flight=draw(rarely),
        watched=draw(rarely),
    )


floors = st.builds(
    Floor,
    free=st.dictionaries(queue_names, st.frozensets(agents)),
    waiting=st.dictionaries(queue_names, st.integers(0, 4)),
    looking=st.dictionaries(queue_names, st.integers(0, 3)),
    room=st.integers(0, 3),
)


@given(st.data(), floors)
def test_every_decision_keeps_the_rules(data: st.DataObject, floor: Floor) -> None:
    everybody = [data.draw(candidates(number)) for number in range(data.draw(st.integers(0, 6)))]
    now = NOW + data.draw(st.integers(0, 24 * 60)) * MINUTE
    decision = choose(everybody, floor, SITE, now)
    assert set(decision.why) == {one.reservation for one in everybody}
    if isinstance(decision, Wait):
        assert decision.until is None or (decision.until >= now and SITE.may_ring(decision.until))
        assert not {"in-aim", "in-window", "overdue"} & set(decision.why.values())
        return
    chosen = decision.candidate
    assert SITE.may_ring(now)
    assert chosen.due_at <= now
    assert chosen.clock_starts_at <= now
    assert not any((chosen.number_live, chosen.in_flight, chosen.watched))
    assert floor.room > 0
    assert set(decision.agents) == set(floor.free[chosen.queue])
    if decision.why[chosen.reservation] == "overdue":
        assert not {"in-aim", "in-window"} & set(decision.why.values())


def most_served(demands: list[str], floor: Floor, taken: frozenset[str] = frozenset()) -> int:
    """How many of these can have an agent at once, found by trying every way."""
    if not demands:
        return 0
    first, *others = demands
    spare = frozenset(floor.free.get(first, ())) - taken
    seated = [1 + most_served(others, floor, taken | {agent}) for agent in spare]
    return max([most_served(others, floor, taken), *seated])


@given(floors, queue_names)
def test_a_callback_never_takes_the_agent_of_a_live_caller(drawn: Floor, queue: str) -> None:
    waiting = {name: min(count, 2) for name, count in drawn.waiting.items()}
    floor = Floor(drawn.free, waiting, looking={})
    callers = [name for name, count in waiting.items() for _ in range(count)]
    everybody_is_served = most_served([*callers, queue], floor) > most_served(callers, floor)
    assert isinstance(choose([lost(5, queue=queue)], floor, SITE, NOW), Call) == everybody_is_served


def test_quiet_hours_in_the_middle_of_the_day_hold_too() -> None:
    site = replace(SITE, quiet_from=time(10), quiet_until=time(10, 0, 1))
    assert choose([lost(5)], ONE_FREE, site, NOW) == Wait(NOW + SECOND, {1: "quiet-hours"})
