"""A simulated day: everybody ends once, an agent does one thing at a time, and a policy calls whom it says."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.clock import DAY, HOUR, MINUTE, SECOND
from scheduler.policy import DEFAULT, FIFO, IN_TIME, NEWEST, CallbackPolicy
from scheduler.simulation.day import HUNG_UP, SERVED, STILL_WAITING, Arrival, Behaviour, SimulatedDay
from scheduler.simulation.presence import AgentDay
from scheduler.simulation.rules import SimulatedRules
from scheduler.simulation.survival import Curve, fit
from scheduler.simulation.world import World
from tests.scheduler.simulation.centres import DAY_AT, NEVER, SITE, always, at, behaviour, simulate, there

POLICIES = (None, FIFO, NEWEST, IN_TIME, DEFAULT)
PEOPLE = fit([5, 40, 90], [10, 300], tail=True)

moments = st.integers(6 * 3600, 23 * 3600).map(lambda second: DAY_AT + second * SECOND)
queues = st.sampled_from(["p", "q"])


@st.composite
def agent_days(draw: st.DrawFn) -> list[AgentDay]:
    """Some agents with breaks, serving one queue or both."""
    found = []
    for number in range(draw(st.integers(0, 4))):
        marks = sorted(draw(st.sets(moments, min_size=2, max_size=4)))
        stretches = tuple(zip(marks[::2], marks[1::2], strict=False))
        found.append(AgentDay(f"a{number}", draw(st.frozensets(queues, min_size=1)), stretches))
    return found


@st.composite
def arrivals(draw: st.DrawFn) -> list[Arrival]:
    """Up to 40 callers, crowded into an hour, so that some are lost, or all over the day."""
    start = draw(moments)
    crowd = st.integers(0, 3600).map(lambda second: start + second * SECOND)
    when = draw(st.lists(st.one_of(crowd, moments), max_size=40))
    talks = st.integers(1, 600)
    return [Arrival(number, at_, draw(queues), draw(talks)) for number, at_ in enumerate(when)]


def day(
    came: list[Arrival], there_: list[AgentDay], policy: CallbackPolicy | None, kind: Behaviour, seed: int
) -> SimulatedDay:
    return World(came, there_, kind, SimulatedRules(SITE, policy, 100, 100), seed, DAY_AT + DAY).run()


def people(patience: Curve = PEOPLE) -> Behaviour:
    return Behaviour({"p": patience, "q": patience}, fit([60, 600], [600], tail=False), (0, 5, 20), 0.6)


@settings(max_examples=30, deadline=None)
@given(arrivals(), agent_days(), st.sampled_from(POLICIES), st.integers(0, 99))
def test_what_is_conserved(
    came: list[Arrival], there_: list[AgentDay], policy: CallbackPolicy | None, seed: int
) -> None:
    simulated = day(came, there_, policy, people(), seed)
    first = Counter(call.caller for call in simulated.calls if not call.redial)
    assert first == {arrival.caller: 1 for arrival in came}  # every caller comes once of his own
    assert all(call.end in {SERVED, HUNG_UP} and call.until >= call.at for call in simulated.calls)
    served = Counter(call.caller for call in simulated.calls if call.end == SERVED)
    assert all(count == 1 for count in served.values())
    reached = {one.caller for one in simulated.lost if one.closed == "reached"}
    assert not reached & served.keys()  # nobody is both
    hung_up = sum(call.end == HUNG_UP for call in simulated.calls)
    assert sum(one.losses for one in simulated.lost) == hung_up  # every loss is in one reservation
    by_agent: dict[str, list[tuple[int, int]]] = {}
    for work in simulated.work:
        by_agent.setdefault(work.agent, []).append((work.at, work.until))
    for work_of in by_agent.values():
        assert all(end <= start for (_, end), (start, _) in pairwise(sorted(work_of)))  # one thing at a time
    assert len(simulated.work) == served.total() + len(simulated.rings)


@settings(max_examples=30, deadline=None)
@given(arrivals(), agent_days(), st.sampled_from(POLICIES[1:]), st.integers(0, 99))
def test_whose_phone_rings(came: list[Arrival], there_: list[AgentDay], policy: CallbackPolicy, seed: int) -> None:
    simulated = day(came, there_, policy, people(), seed)
    by_caller: dict[int, list[tuple[int, int]]] = {}
    for ring in simulated.rings:
        assert SITE.may_ring(ring.at)
        assert ring.until <= at("21:30")
        by_caller.setdefault(ring.caller, []).append((ring.at, ring.until))
        on_line = [call for call in simulated.calls if call.caller == ring.caller and call.end == HUNG_UP]
        assert not any(call.at < ring.until and ring.at < call.until for call in on_line)
    for rings in by_caller.values():
        assert all(end + 15 * MINUTE <= start for (_, end), (start, _) in pairwise(sorted(rings)))
    tries = Counter(ring.number for ring in simulated.rings)
    assert all(count <= 3 for count in tries.values())


@settings(max_examples=15, deadline=None)
@given(arrivals(), agent_days(), st.sampled_from(POLICIES), st.integers(0, 99))
def test_the_same_seed_is_the_same_day(
    came: list[Arrival], there_: list[AgentDay], policy: CallbackPolicy | None, seed: int
) -> None:
    assert day(came, there_, policy, people(), seed) == day(came, there_, policy, people(), seed)


@settings(max_examples=20, deadline=None)
@given(arrivals(), st.sampled_from(POLICIES))
def test_with_an_agent_for_everybody_nobody_waits(came: list[Arrival], policy: CallbackPolicy | None) -> None:
    enough = [AgentDay(f"a{number}", frozenset("pq"), ((DAY_AT, DAY_AT + DAY),)) for number in range(len(came))]
    simulated = day(came, enough, policy, people(), 0)
    assert [call.end for call in simulated.calls] == [SERVED] * len(came)
    assert all(call.until == call.at for call in simulated.calls)
    assert not simulated.lost


@settings(max_examples=20, deadline=None)
@given(arrivals(), agent_days(), st.sampled_from(POLICIES))
def test_who_is_patient_never_hangs_up(
    came: list[Arrival], there_: list[AgentDay], policy: CallbackPolicy | None
) -> None:
    simulated = day(came, there_, policy, people(NEVER), 0)
    assert {call.end for call in simulated.calls} <= {SERVED, STILL_WAITING}
    assert len(simulated.calls) == len(came)


# One agent. He talks from 10:00 to 10:10; three come meanwhile, and wait 30 s each. From 10:10 on nobody calls.
CALLERS = [("10:00", 600), ("10:01", 100), ("10:04", 100), ("10:07", 100)]


@pytest.mark.parametrize(
    ("policy", "rung"),
    [
        (None, []),
        (FIFO, [(1, "10:10"), (2, "10:12"), (3, "10:14")]),  # each: 20 s of ringing, 100 s of talk
        (NEWEST, [(3, "10:10"), (2, "10:12"), (1, "10:14")]),
        (IN_TIME, []),  # no other agent stays free
    ],
)
def test_one_agent_calls_by_the_policy(policy: CallbackPolicy | None, rung: list[tuple[int, str]]) -> None:
    simulated = simulate(CALLERS, [there("ann")], behaviour(), policy)
    assert [call.end for call in simulated.calls] == [SERVED, HUNG_UP, HUNG_UP, HUNG_UP]
    assert [(ring.caller, ring.at) for ring in simulated.rings] == [(caller, at(when)) for caller, when in rung]
    assert [one.closed for one in simulated.lost] == (["reached"] * 3 if rung else [None] * 3)


# Nobody is there until 10:50: lost 60 min, 40 min, 35 min, 10 min and 5 min ago. Then two agents.
LOST = [("9:49:30", 100), ("10:09:30", 100), ("10:14:30", 100), ("10:39:30", 100), ("10:44:30", 100)]


@pytest.mark.parametrize(
    ("policy", "order"),
    [
        (FIFO, [0, 1, 2, 3, 4]),
        (NEWEST, [4, 3, 2, 1, 0]),
        (IN_TIME, [3, 4, 2, 1]),  # oldest in 30 min, then newest in the hour; the first is 60 min old, then too old
        (DEFAULT, [3, 4, 2, 1]),  # as no call comes in, it costs live callers nothing
    ],
)
def test_who_is_first_when_agents_come(policy: CallbackPolicy, order: list[int]) -> None:
    simulated = simulate(LOST, [there("ann", "10:50:10"), there("bob", "10:50:10")], behaviour(), policy)
    assert [ring.caller for ring in simulated.rings] == order


def test_in_time_keeps_one_agent_free_for_who_calls_next() -> None:
    callers = [*LOST, ("10:50:20", 60)]
    simulated = simulate(callers, [there("ann", "10:50:10"), there("bob", "10:50:10")], behaviour(), IN_TIME)
    assert [call.until - call.at for call in simulated.calls if call.end == SERVED] == [0]
    assert all(earlier.until <= later.at for earlier, later in pairwise(simulated.rings))


def test_who_does_not_answer_is_rung_again_after_a_quarter_of_an_hour_three_times_in_all() -> None:
    simulated = simulate(LOST[:1], [there("ann", "10:00")], behaviour(answer_rate=0.0), FIFO)
    rung = [at("10:00"), at("10:15:20"), at("10:30:40")]
    assert [ring.at for ring in simulated.rings] == rung
    assert simulated.lost[0].closed == "given-up"


def test_who_calls_again_before_he_is_called_and_is_served_is_owed_nothing() -> None:
    simulated = simulate(LOST[:1], [there("ann", "9:55")], behaviour(redial=always(400)), None)
    assert [call.end for call in simulated.calls] == [HUNG_UP, SERVED]
    assert simulated.lost[0].closed == "served"
    assert simulated.lost[0].redialled_at == simulated.calls[1].at


def test_who_is_lost_again_keeps_his_promise() -> None:
    simulated = simulate(LOST[:1], [], behaviour(redial=always(1200)), None)
    assert len(simulated.lost) == 1
    assert simulated.lost[0].losses == len(simulated.calls) > 2
    assert simulated.lost[0].promise.deadline_at == simulated.lost[0].lost_at + HOUR


def test_who_was_called_back_does_not_call_again() -> None:
    simulated = simulate(LOST[:1], [there("ann", "9:55")], behaviour(redial=always(900)), FIFO)
    assert [call.redial for call in simulated.calls] == [False]
    assert simulated.lost[0].reached_at == at("9:55:20")


def test_a_break_is_taken_whole_after_the_talk() -> None:
    agent_day = AgentDay("ann", frozenset("q"), ((at("10:00"), at("10:05")), (at("10:10"), at("12:00"))))
    simulated = simulate([("10:04", 120), ("10:10:30", 10)], [agent_day], behaviour(60))
    assert [call.until for call in simulated.calls] == [at("10:04"), at("10:11")]  # away from 10:06 to 10:11


def test_nobody_waits_behind_a_later_caller_without_a_head_start() -> None:
    came = [
        Arrival(0, at("10:00"), "q", 60),
        Arrival(1, at("10:00:10"), "q", 60),
        Arrival(2, at("10:00:20"), "q", 60, 90),
    ]
    service = SimulatedRules(SITE, None, 100, 100)
    simulated = World(came, [there("ann")], behaviour(300), service, 0, DAY_AT + DAY).run()
    assert [call.until for call in simulated.calls] == [at("10:00"), at("10:02"), at("10:01")]
