"""Whom to call next, and why not the others."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler import clock
from scheduler.candidate import IN_AIM, IN_WINDOW, OVERDUE, Candidate, lane
from scheduler.clock import HOUR, MINUTE, SECOND
from scheduler.hours import Hours
from scheduler.order import BINDS, AgentMatching, Decision, NextCall, NoCall, QueueState, choose
from scheduler.policy import CallbackPolicy, Lane, QueueLoad, binds, cost
from tests.scheduler.moments import at

SITE = Hours(clock.zone("Asia/Shanghai"))
NOW = at("2025-11-21 10:00")
EVERYBODY = CallbackPolicy({IN_AIM: Lane(), IN_WINDOW: Lane("newest"), OVERDUE: Lane()})
ONE_FREE = QueueState(free={"sales": {"PJSIP/1"}}, waiting={}, looking={})


def lost(minutes_ago: int, reservation: int = 1, queue: str = "sales") -> Candidate:
    start = NOW - minutes_ago * MINUTE
    return Candidate(reservation, queue, "abandoned", start, start + 30 * MINUTE, start + HOUR, due_at=start)


def decide(
    candidates: list[Candidate], state: QueueState, policy: CallbackPolicy = EVERYBODY, now: int = NOW
) -> Decision:
    return choose(candidates, AgentMatching(state, policy), SITE, now)


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
    decision = decide(candidates, ONE_FREE)
    assert isinstance(decision, NextCall)
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
    assert decide([candidate], ONE_FREE) == NoCall(until, {1: why})


def test_nobody_is_called_in_quiet_hours() -> None:
    decision = decide([lost(5)], ONE_FREE, now=at("2025-11-21 22:00"))
    assert decision == NoCall(at("2025-11-22 08:00"), {1: "quiet-hours"})


def test_quiet_hours_end_before_somebody_is_due() -> None:
    candidates = [replace(lost(5), due_at=at("2025-11-22 09:00"))]
    assert decide(candidates, ONE_FREE, now=at("2025-11-21 22:00")).why == {1: "quiet-hours"}
    wait = decide(candidates, ONE_FREE, now=at("2025-11-21 22:00"))
    assert wait == NoCall(at("2025-11-22 09:00"), {1: "quiet-hours"})


def test_with_nobody_to_call_there_is_nothing_to_wait_for() -> None:
    assert decide([], ONE_FREE) == NoCall(None, {})


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
    assert decide([lost(5)], QueueState(free, waiting, looking)).why == {1: why}


def test_no_more_callbacks_are_begun_than_there_is_room_for() -> None:
    assert decide([lost(5)], replace(ONE_FREE, room=0)) == NoCall(None, {1: "pacing"})


def test_who_has_no_agent_does_not_hold_up_another_queue() -> None:
    decision = decide([lost(20, 1, "support"), lost(5, 2)], ONE_FREE)
    assert isinstance(decision, NextCall)
    assert decision.candidate.reservation == 2
    assert decision.why == {1: "no-free-agent", 2: "in-aim"}


def test_many_agents_and_callers_are_matched_without_delay() -> None:
    queues = [f"q{number}" for number in range(40)]
    free = {queue: [f"agent{number}" for number in range(index, index + 20)] for index, queue in enumerate(queues)}
    state = QueueState(free, dict.fromkeys(queues, 3), dict.fromkeys(queues, 1))
    candidates = [lost(minutes, minutes, queues[minutes % 40]) for minutes in range(200)]
    assert isinstance(decide(candidates, state), NoCall)


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


loads = st.builds(
    QueueLoad,
    staffed=st.integers(1, 12),
    idle=st.integers(1, 12),
    calls_s=st.floats(0, 0.2),
    handle_s=st.floats(30, 600),
    patience_s=st.floats(10, 600),
)
states = st.builds(
    QueueState,
    free=st.dictionaries(queue_names, st.frozensets(agents)),
    waiting=st.dictionaries(queue_names, st.integers(0, 4)),
    looking=st.dictionaries(queue_names, st.integers(0, 3)),
    room=st.integers(0, 3),
    loads=st.dictionaries(queue_names, loads),
)
prices = st.sampled_from([0.0, 0.05, 0.3, inf])
policies = st.builds(
    lambda keep, bind_s, in_aim, in_window, overdue: CallbackPolicy(
        {IN_AIM: Lane("oldest", in_aim), IN_WINDOW: Lane("newest", in_window), OVERDUE: Lane("oldest", overdue)},
        keep=keep,
        bind_s=bind_s,
    ),
    st.integers(0, 2),
    st.sampled_from([0, 300, 1200]),
    prices,
    prices,
    prices,
)
MAY_BE_CALLED = {IN_AIM, IN_WINDOW, OVERDUE}
WANTS_AN_AGENT = {"no-free-agent", "callers-waiting", "pacing", "kept-free", "too-dear", *MAY_BE_CALLED}


def some(data: st.DataObject) -> list[Candidate]:
    return [data.draw(candidates(number)) for number in range(data.draw(st.integers(0, 6)))]


@given(st.data(), states, policies)
def test_every_decision_keeps_the_rules(data: st.DataObject, state: QueueState, policy: CallbackPolicy) -> None:
    everybody = some(data)
    now = NOW + data.draw(st.integers(0, 24 * 60)) * MINUTE
    decision = decide(everybody, state, policy, now)
    assert set(decision.why) == {one.reservation for one in everybody}
    if isinstance(decision, NoCall):
        assert decision.until is None or (decision.until >= now and SITE.may_ring(decision.until))
        assert not MAY_BE_CALLED & set(decision.why.values())
        return
    chosen = decision.candidate
    assert SITE.may_ring(now)
    assert chosen.due_at <= now
    assert chosen.clock_starts_at <= now
    assert not any((chosen.number_live, chosen.in_flight, chosen.watched))
    assert state.room > 0
    assert set(decision.agents) == set(state.free[chosen.queue])


@given(st.data(), states, policies)
def test_no_agent_for_a_broken_promise_while_a_live_one_waits(
    data: st.DataObject, state: QueueState, policy: CallbackPolicy
) -> None:
    everybody = some(data)
    decision = decide(everybody, state, policy)
    if not isinstance(decision, NextCall) or decision.why[decision.candidate.reservation] != OVERDUE:
        return
    callers = [queue for queue, count in state.waiting.items() for _ in range(count)]
    looking = [queue for queue, count in state.looking.items() for _ in range(count)]
    for one in everybody:
        if lane(one, NOW) != OVERDUE and decision.why[one.reservation] in WANTS_AN_AGENT:
            before = [*callers, *looking]
            has_one = most_served([*before, one.queue], state) > most_served(before, state)
            assert not has_one or not set(state.free[one.queue]) & set(decision.agents)


@given(states, policies, st.integers(0, 60), queue_names)
def test_agents_kept_free_stay_free_unless_a_deadline_binds(
    state: QueueState, policy: CallbackPolicy, minutes_ago: int, queue: str
) -> None:
    one = lost(minutes_ago, queue=queue)
    decision = decide([one], state, policy)
    others = [name for counts in (state.waiting, state.looking) for name, count in counts.items() for _ in range(count)]
    spare = most_served([*others, *[queue] * (1 + policy.keep)], state) - most_served(others, state)
    if isinstance(decision, NextCall) and not decision.binds:
        assert spare == 1 + policy.keep
    if decision.why[one.reservation] == "kept-free":
        assert 1 <= spare <= policy.keep
        assert not binds(one, policy, NOW)


@given(states, policies, st.integers(0, 60), queue_names)
def test_a_callback_costs_no_more_than_its_price_unless_a_deadline_binds(
    state: QueueState, policy: CallbackPolicy, minutes_ago: int, queue: str
) -> None:
    one = lost(minutes_ago, queue=queue)
    decision = decide([one], state, policy)
    dear = queue in state.loads and cost(state.loads[queue]) > policy.lanes[lane(one, NOW)].price
    if isinstance(decision, NextCall):
        assert decision.binds or not dear
    if decision.why[one.reservation] == "too-dear":
        assert dear


@given(states, policies, queue_names, st.data())
def test_with_one_more_free_agent_a_live_promise_is_called_as_before(
    state: QueueState, policy: CallbackPolicy, queue: str, data: st.DataObject
) -> None:
    """One who was not there: an agent who serves one queue more may be needed there."""
    everybody = some(data)
    more = replace(state, free={**state.free, queue: frozenset(state.free.get(queue, ())) | {"one more"}})
    before, after = decide(everybody, state, policy), decide(everybody, more, policy)
    live = isinstance(before, NextCall) and before.why[before.candidate.reservation] != OVERDUE
    assert not live or isinstance(after, NextCall)


@given(states, queue_names, st.sampled_from("abc"), st.booleans())
def test_one_agent_is_rung_alone_only_where_all_who_go_first_have_another_one(
    state: QueueState, queue: str, agent: str, away: bool
) -> None:
    one = replace(lost(5, queue=queue), agent=agent, agent_away=away)
    decision = decide([one], state)
    first = [name for counts in (state.waiting, state.looking) for name, count in counts.items() for _ in range(count)]
    without = replace(state, free={name: set(agents) - {agent} for name, agents in state.free.items()})
    is_free, is_needed = agent in state.free.get(queue, ()), most_served(first, without) < most_served(first, state)
    assert isinstance(decision, NextCall) == (is_free and not away and not is_needed and state.room > 0)
    if isinstance(decision, NextCall):
        assert decision.agents == (agent,)
    elif away or not is_free:
        assert decision.why[one.reservation] == "agent-away"


@given(st.data(), states)
def test_what_has_time_is_never_called_before_somebody_who_was_lost(data: st.DataObject, state: QueueState) -> None:
    everybody = [replace(one, stands_since_at=NOW + SECOND) if data.draw(st.booleans()) else one for one in some(data)]
    decision = decide(everybody, state)
    if isinstance(decision, NextCall) and decision.candidate.stands_since_at is not None:
        lost_ones = [one for one in everybody if one.stands_since_at is None]
        assert not any(decision.why[one.reservation] in MAY_BE_CALLED for one in lost_ones)


@given(states, policies)
def test_the_queues_that_are_looked_at_are_those_in_which_somebody_could_be_called(
    state: QueueState, policy: CallbackPolicy
) -> None:
    looked_at = AgentMatching(state, policy).callable_in()
    for queue in ("sales", "support", "vip"):
        for minutes_ago in (5, 35, 59, 90):
            one = lost(minutes_ago, queue=queue)
            found = queue in looked_at[lane(one, NOW)] or (binds(one, policy, NOW) and queue in looked_at[BINDS])
            live_lanes = queue in looked_at[IN_AIM] and queue in looked_at[IN_WINDOW]
            called = isinstance(decide([one], state, policy), NextCall)
            assert called == (found or (binds(one, policy, NOW) and live_lanes))


def most_served(demands: list[str], state: QueueState, taken: frozenset[str] = frozenset()) -> int:
    """How many of these can have an agent at once, found by trying every way."""
    if not demands:
        return 0
    first, *others = demands
    spare = frozenset(state.free.get(first, ())) - taken
    seated = [1 + most_served(others, state, taken | {agent}) for agent in spare]
    return max([most_served(others, state, taken), *seated])


@given(states, queue_names)
def test_a_callback_never_takes_the_agent_of_a_live_caller(drawn: QueueState, queue: str) -> None:
    waiting = {name: min(count, 2) for name, count in drawn.waiting.items()}
    state = QueueState(drawn.free, waiting, looking={})
    callers = [name for name, count in waiting.items() for _ in range(count)]
    everybody_is_served = most_served([*callers, queue], state) > most_served(callers, state)
    assert isinstance(decide([lost(5, queue=queue)], state), NextCall) == everybody_is_served


def test_quiet_hours_in_the_middle_of_the_day_hold_too() -> None:
    site = replace(SITE, quiet_from=time(10), quiet_until=time(10, 0, 1))
    assert choose([lost(5)], AgentMatching(ONE_FREE, EVERYBODY), site, NOW) == NoCall(NOW + SECOND, {1: "quiet-hours"})


# Agents kept free, prices, deadlines that bind

BUSY = QueueLoad(staffed=1, idle=1, calls_s=0.01, handle_s=100, patience_s=30)  # a callback costs 0.44 callers
TWO_FREE = QueueState(free={"sales": {"a", "b"}}, waiting={}, looking={}, loads={"sales": BUSY})
PRICED = CallbackPolicy(
    {IN_AIM: Lane("oldest", 0.5), IN_WINDOW: Lane("newest", 0.3), OVERDUE: Lane("oldest", 0.2)}, bind_s=300
)


@pytest.mark.parametrize(
    ("minutes_ago", "policy", "why", "until"),
    [
        ([5], PRICED, ["in-aim"], None),
        ([35], PRICED, ["too-dear"], 55),
        ([55], PRICED, ["in-window"], None),  # its deadline binds
        ([90], PRICED, ["too-dear"], None),
        ([5, 35, 90], PRICED, ["in-aim", "too-dear", "too-dear"], None),
        ([35, 90], replace(PRICED, keep=1), ["too-dear", "too-dear"], 55),
        ([5], replace(PRICED, keep=2), ["kept-free"], 55),
        ([5], replace(PRICED, keep=2, bind_s=0), ["kept-free"], None),
        ([58], replace(PRICED, keep=2), ["in-window"], None),
        ([90], replace(PRICED, lanes={IN_AIM: Lane()}), ["lane-not-called"], None),
    ],
)
def test_what_is_left_for_live_callers(
    minutes_ago: list[int], policy: CallbackPolicy, why: list[str], until: int | None
) -> None:
    candidates = [lost(minutes, number) for number, minutes in enumerate(minutes_ago)]
    decision = decide(candidates, TWO_FREE, policy)
    assert list(decision.why.values()) == why
    if isinstance(decision, NoCall):
        assert decision.until == (None if until is None else NOW + (until - minutes_ago[0]) * MINUTE)


def test_a_cheap_callback_to_who_is_overdue_waits_for_a_dear_one_to_who_is_not() -> None:
    loads = {"sales": BUSY, "short": BUSY}
    policy = replace(PRICED, handle_s={"short": 10.0})
    shared = QueueState({"sales": {"a"}, "short": {"a", "b"}}, {}, {}, loads=loads)
    apart = QueueState({"sales": {"a"}, "short": {"b"}}, {}, {}, loads=loads)
    everybody = [lost(35, 1, "sales"), lost(90, 2, "short")]
    assert decide(everybody, shared, policy).why == {1: "too-dear", 2: "too-dear"}
    assert decide(everybody, apart, policy).why == {1: "too-dear", 2: "overdue"}


def test_a_decision_is_kept_as_plain_values() -> None:
    decision = decide([lost(5, 1), lost(35, 2), lost(58, 3, "support")], TWO_FREE, PRICED)
    assert isinstance(decision, NextCall)
    others = {"too-dear": 1, "no-free-agent": 1}
    kept = {"why": "in-aim", "agents": ["a", "b"], "of": 3, "binds": False, "cost": 0.4417, "others": others}
    assert decision.as_json() == kept
