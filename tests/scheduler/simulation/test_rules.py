"""The simulation's rules: of a lane only the first are judged, and the choice is the service's own."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from scheduler.candidate import Candidate
from scheduler.clock import MINUTE
from scheduler.order import AgentMatching, NextCall, QueueState, choose
from scheduler.policy import DEFAULT, FIFO, IN_TIME, NEWEST, CallbackPolicy, QueueLoad
from scheduler.promise import PromiseTerms, promise
from scheduler.simulation.rules import SimulatedRules
from scheduler.simulation.world import CentreState
from tests.scheduler.simulation.centres import SITE, at

NOW = at("12:00")
BINDING = replace(IN_TIME, bind_s=900, keep=1)
DEAR = replace(DEFAULT, bind_s=900)


@st.composite
def candidates(draw: st.DrawFn) -> list[Candidate]:
    """Callers lost within the last two hours, several at once among them, some to be tried again later."""
    found = []
    for number, minutes in enumerate(sorted(draw(st.lists(st.integers(0, 120), max_size=12)), reverse=True)):
        lost_at = NOW - minutes * MINUTE
        made = promise("abandoned", lost_at, lost_at, SITE, PromiseTerms())
        due_at = made.clock_starts_at + draw(st.sampled_from([0, 0, 0, 130 * MINUTE]))
        clock = (made.clock_starts_at, made.aim_at, made.deadline_at)
        found.append(Candidate(number, draw(st.sampled_from("pq")), "abandoned", *clock, due_at=due_at))
    return found


@given(
    candidates(),
    st.dictionaries(st.sampled_from("pq"), st.frozensets(st.sampled_from("abc"))),
    st.sampled_from([FIFO, NEWEST, IN_TIME, DEFAULT, BINDING, DEAR]),
    st.floats(0, 0.2),
)
def test_the_choice_is_the_one_among_all(
    some: list[Candidate], free: dict[str, frozenset[str]], policy: CallbackPolicy, calls_s: float
) -> None:
    idle = len(frozenset[str]().union(*free.values()))
    rules, state = SimulatedRules(SITE, policy, 100, 100), CentreState(free, 3, idle, calls_s)
    load = QueueLoad(3, idle, calls_s, 100, 100)
    matching = AgentMatching(QueueState(free, {}, {}, loads=dict.fromkeys(free, load)), policy)
    among_all = choose(some, matching, SITE, NOW)
    assert rules.choose(some, state, NOW) == (among_all.candidate if isinstance(among_all, NextCall) else None)
