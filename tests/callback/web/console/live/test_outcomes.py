"""How a row left is told by what the feed says of its reservation, whoever ended it."""

from __future__ import annotations

import pytest

from callback import events as e
from callback.decisions import actions
from callback.store.audit import By
from callback.web.console.live.outcomes import KEPT, Outcomes
from callback.web.customer_page import BY_CUSTOMER
from tests.callback.world import NOON, US, World, call, fed, fed_so_far

ANNA = By("Anna", "customer asked")


def told(*events: e.Event) -> str:
    outcomes = Outcomes()
    for event in events:
        outcomes.take(event)
    return outcomes.words(1, "en")


def ended(state: str) -> e.AttemptEnded:
    return e.AttemptEnded("a1", 1, state, [], state)


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([], "not in this list any more"),
        ([e.Dialling(1, "a1", 1, "support"), ended("reached")], "reached"),
        ([e.AgentConnected("a1", 1, "PJSIP/1004"), ended("reached")], "reached by 1004"),
        ([e.AgentConnected("a1", 1, "PJSIP/1004"), ended("waiting")], "not in this list any more"),
        ([ended("given-up")], "not reached in any try"),
        ([e.Returned(1)], "called again and was served"),
        ([e.Withdrawn(1)], "was not lost"),
        ([e.Cancelled(1, "blocked")], "cancelled"),
        ([e.Expired(1, "support", "tries")], "left to people"),
        ([e.CalledByHand(1, "c", "PJSIP/1007", 30.0)], "called by hand from 1007"),
        ([e.Decided("cancelled", "Anna", "why", 1)], "cancelled by Anna"),
        ([e.Decided("cancelled", "customer", "why", 1)], "cancelled by the customer"),
        ([e.Decided("done-elsewhere", "Anna", "why", 1)], "done elsewhere, says Anna"),
        ([e.Decided("withdrawn", "Anna", "why", 1)], "not lost, says Anna"),
        ([e.Decided("held", "Anna", "why", 1)], "not in this list any more"),
        ([e.Decided("block", "Bo", "why", None, {"cancelled": [1, 2]})], "cancelled by Bo"),
        ([e.Returned(2)], "not in this list any more"),
    ],
)
def test_what_each_end_is_called(events: list[e.Event], words: str) -> None:
    assert told(*events) == words


def test_it_is_said_in_the_language_of_the_viewers() -> None:
    outcomes = Outcomes()
    outcomes.take(e.Decided("cancelled", "Anna", "why", 1))
    assert outcomes.words(1, "zh_Hans") == "已由 Anna 取消"


def test_what_use_cases_tell_is_understood(world: World) -> None:
    """The words of the service, not of this test: an end that is called otherwise one day shows."""
    for number in range(4):
        world.hear(call(f"0901234567{number}"))
    before = fed_so_far(world.store)
    with world.store.write() as connection:
        work = world.work(connection, NOON + US)
        actions.cancel(work, 1, ANNA)
        actions.done_elsewhere(work, 2, ANNA)
        actions.not_lost(work, 3, ANNA)
        actions.cancel(work, 4, BY_CUSTOMER)
    outcomes = Outcomes()
    for one in fed(world.store, before):
        outcomes.take(one.event)
    assert [outcomes.words(id_, "en") for id_ in (1, 2, 3, 4)] == [
        "cancelled by Anna",
        "done elsewhere, says Anna",
        "not lost, says Anna",
        "cancelled by the customer",
    ]


def test_the_oldest_are_forgotten() -> None:
    outcomes = Outcomes()
    for id_ in range(1, KEPT + 2):
        outcomes.take(e.Returned(id_))
    assert outcomes.words(1, "en") == "not in this list any more"
    assert outcomes.words(2, "en") == "called again and was served"
