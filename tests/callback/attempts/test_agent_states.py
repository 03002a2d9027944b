"""What agents do, as the states of their phones tell."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callback.attempts import agent_states
from callback.attempts.agent_states import AGENT_STATES, Agent
from callback.attempts.load import free
from telephony.agents import STATES, AgentsView
from telephony.events import QueueMember
from tests.callback.world import MINUTE, NOON, US

IN_USE, RINGING, UNAVAILABLE = 2, 6, 5


def member(phone: str, queue: str = "support", **changes: Any) -> QueueMember:
    facts = {"status": 1, "paused": False, "in_call": False, "last_call_s": 0, "wrapup_s": 0, "gone": False}
    return QueueMember(NOON, queue, phone, phone.title(), phone, **(facts | changes))


def view(*members: QueueMember) -> AgentsView:
    made = AgentsView()
    made.reset(members)
    return made


def seen(
    made: AgentsView, own: set[str] | None = None, before: list[Agent] | None = None, now: int = NOON
) -> list[Agent]:
    idle = {phone for queue in made.queues for phone in free(made, queue, now)}
    return agent_states.agents(made, idle, own or set(), before, now)


@pytest.mark.parametrize(
    ("changes", "own", "state"),
    [
        ({}, False, "free"),
        ({"status": IN_USE}, False, "talking"),
        ({"in_call": True}, False, "talking"),
        ({"status": IN_USE}, True, "callback"),
        ({"status": RINGING}, True, "ringing"),
        ({"status": RINGING}, False, "ringing"),
        ({"paused": True}, False, "paused"),
        ({"paused": True, "status": IN_USE}, False, "talking"),
        ({"last_call_s": NOON // US, "wrapup_s": 30}, False, "wrap-up"),
    ],
)
def test_a_phone_tells_what_its_agent_does(changes: dict[str, Any], own: bool, state: str) -> None:
    (agent,) = seen(view(member("ann", **changes)), {"ann"} if own else set())
    assert (agent.state, agent.name) == (state, "Ann")


def test_an_agent_of_three_queues_is_one_and_paused_only_where_paused_in_all() -> None:
    queues = ("support", "sales", "billing")
    one_pause = view(*(member("ann", queue, paused=queue == "sales") for queue in queues))
    assert [(agent.queues, agent.state) for agent in seen(one_pause)] == [(queues, "free")]
    paused = view(*(member("ann", queue, paused=True) for queue in queues))
    assert [agent.state for agent in seen(paused)] == ["paused"]


def test_who_is_not_logged_in_is_not_there() -> None:
    assert seen(view(member("ann", status=UNAVAILABLE), member("bo"))) == [
        Agent("bo", "Bo", ("support",), "free", None)
    ]


def test_since_when_is_known_from_the_first_change_on() -> None:
    first = seen(view(member("ann"), member("bo")))
    assert {agent.since_at for agent in first} == {None}, "nobody saw it begin"
    talks = view(member("ann", status=IN_USE), member("bo"), member("cy"))
    second = seen(talks, before=first, now=NOON + US)
    assert [(agent.phone, agent.since_at) for agent in second] == [("ann", NOON + US), ("bo", None), ("cy", NOON + US)]
    third = seen(talks, before=second, now=NOON + MINUTE)
    assert third == second


MEMBERS = st.builds(
    member,
    st.sampled_from(["ann", "bo", "cy", "di"]),
    st.sampled_from(["support", "sales"]),
    status=st.sampled_from([None, *STATES]),
    paused=st.booleans(),
    in_call=st.booleans(),
    last_call_s=st.sampled_from([0, NOON // US]),
    wrapup_s=st.sampled_from([0, 30]),
)


@given(st.lists(MEMBERS, max_size=8), st.sets(st.sampled_from(["ann", "bo", "cy"])))
def test_each_is_counted_once_in_one_state_and_who_is_free_is_free_somewhere(
    members: list[QueueMember], own: set[str]
) -> None:
    made = view(*members)
    agents = seen(made, own)
    counts = agent_states.counted(agents)
    assert set(counts) == set(AGENT_STATES)
    assert sum(counts.values()) == len({agent.phone for agent in agents}) == len(agents)
    idle = {phone for queue in made.queues for phone in free(made, queue, NOON)}
    assert {agent.phone for agent in agents if agent.state == "free"} == idle
    assert agent_states.restored(agent_states.as_json(agents)) == tuple(agents)
