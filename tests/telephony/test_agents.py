"""Who is free: one agent is one agent, in however many queues he is."""

from dataclasses import replace
from typing import Any, Final

import pytest

from telephony.agents import AgentsView
from telephony.events import QueueMember
from tests.telephony.recorded import events_of

SECOND: Final = 1_000_000
NOW: Final = 1_795_307_000 * SECOND
IDLE: Final = QueueMember(NOW, "support", "PJSIP/1", "One", "PJSIP/1", 1, False, False, 0, 0, False)


def member(**changes: Any) -> QueueMember:
    return replace(IDLE, **changes)


def view(*members: QueueMember) -> AgentsView:
    agents = AgentsView()
    for event in members:
        agents.feed(event)
    return agents


def test_an_idle_agent_is_free() -> None:
    assert view(IDLE).free("support", NOW) == ["PJSIP/1"]
    assert view(IDLE).free("sales", NOW) == []


@pytest.mark.parametrize("status", [0, 2, 3, 4, 5, 6, 7, 8, None])
def test_only_a_phone_not_in_use_is_free(status: int | None) -> None:
    assert view(member(status=status)).free("support", NOW) == []


@pytest.mark.parametrize(
    ("status", "word"), [(1, "not in use"), (6, "ringing"), (8, "on hold"), (99, "unknown"), (None, "unknown")]
)
def test_the_state_of_a_phone_has_a_name(status: int | None, word: str) -> None:
    assert view(member(status=status)).state("PJSIP/1") == word


def test_paused_is_paused_in_that_queue_alone() -> None:
    agents = view(member(paused=True), member(queue="sales"))
    assert agents.free("support", NOW) == []
    assert agents.free("sales", NOW) == ["PJSIP/1"]


def test_in_a_call_of_one_queue_is_free_in_none() -> None:
    agents = view(IDLE, member(queue="sales", in_call=True), member(queue="third"))
    assert [agents.free(queue, NOW) for queue in agents.queues] == [[], [], []]


def test_the_phone_is_known_by_its_state_interface() -> None:
    """Behind two Local members is one phone: news of it in one queue is news in both, and it is rung once."""
    local = member(queue="sales", interface="Local/1@agents/n")
    agents = view(IDLE, local, member(queue="sales"))
    assert agents.free("sales", NOW) == ["Local/1@agents/n"]
    agents.feed(member(status=6))
    assert agents.free("sales", NOW) == []


def test_wrap_up_is_honoured_where_it_is_told() -> None:
    agents = view(member(last_call_s=NOW // SECOND - 10, wrapup_s=30))
    assert agents.free("support", NOW) == []
    assert agents.free("support", NOW + 20 * SECOND) == ["PJSIP/1"]
    assert view(member(last_call_s=NOW // SECOND - 10)).free("support", NOW) == ["PJSIP/1"]


def test_a_member_taken_out_is_gone() -> None:
    agents = view(IDLE, member(queue="sales"))
    agents.feed(member(gone=True))
    agents.feed(member(queue="never", gone=True))
    assert agents.free("support", NOW) == []
    assert [(m.queue, m.name) for m in agents.members] == [("sales", "One")]
    assert agents.members_of("support") == []


def test_a_listing_begins_anew() -> None:
    agents = view(IDLE, member(queue="sales", interface="PJSIP/2", state_interface="PJSIP/2"))
    agents.reset([member(queue="sales")])
    assert agents.free("support", NOW) == []
    assert agents.free("sales", NOW) == ["PJSIP/1"]
    assert agents.queues == ["sales"]


def test_other_events_are_passed_over() -> None:
    agents = AgentsView()
    for event in events_of("05a-congestion"):
        agents.feed(event)
    assert agents.members == []


def test_through_a_recorded_call() -> None:
    """He is free, rings and talks, is free again; and in the queue `full`, where he is too, likewise."""
    agents, seen = AgentsView(), []
    for event in events_of("01-normal-caller-hangs-up"):
        agents.feed(event)
        if isinstance(event, QueueMember):
            seen.append((agents.free("support", event.at), agents.free("full", event.at)))
    busy: tuple[list[str], list[str]] = ([], [])
    free = (["PJSIP/agent1"], ["PJSIP/agent1"])
    assert seen[:2] == [busy, busy]
    assert seen[-1] == free


def test_from_a_recorded_listing() -> None:
    agents = AgentsView()
    agents.reset(event for event in events_of("13a2-after-reconnect") if isinstance(event, QueueMember))
    assert set(agents.queues) == {"leave", "support", "sales", "timers", "full"}
    assert agents.free("sales", NOW + 3600 * SECOND) == ["PJSIP/agent2"]
