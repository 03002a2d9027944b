"""Agents who press "reject" are rung less and less often for one customer, and people hear of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from callback import settle
from callback.bell import ALARMING
from callback.news import News
from tests.callback.world import MINUTE, NOON, US, World, call, picture, rules

FREE = picture(free={"support": {f"PJSIP/agent{n}" for n in range(9)}, "sales": {"PJSIP/agent9"}})


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    made = World(migrated_url, rules(window_min=600))
    yield made
    made.close()


def tried(world: World, outcome: str, now: int) -> list[News]:
    """A callback that ends after half a minute; whoever was reached had an agent."""
    order = world.claim(now, FREE)
    assert order is not None, "nobody is due"
    if outcome != "agent-no-answer":
        with world.store.write() as connection:
            settle.progress(connection, world.shift, order.attempt, "agent_connected_at", now + 10 * US, "Agent One")
    return world.end(order.attempt, outcome, now + 30 * US)


def alarms(told: list[News]) -> list[str]:
    return [news.event for news in told if news.event in ALARMING]


def test_for_one_customer_they_are_rung_less_and_less_often_which_costs_no_try(world: World) -> None:
    world.hear(call())
    now, waits = NOON, []
    for _ in range(7):
        tried(world, "agent-no-answer", now)
        (row,) = world.reservations()
        waits.append((row.due_at - now - 30 * US) // MINUTE)
        now = row.due_at
    assert waits == [1, 2, 4, 8, 10, 10, 10]
    assert row.tries == 0


@pytest.mark.parametrize("between", ["busy", "no-answer", "declined"])
def test_once_somebody_answered_it_begins_anew(world: World, between: str) -> None:
    world.hear(call())
    now = NOON
    for outcome in ("agent-no-answer", "agent-no-answer", between, "agent-no-answer"):
        tried(world, outcome, now)
        ended, now = now + 30 * US, world.reservations()[0].due_at
    assert now - ended == MINUTE


def test_a_site_that_waits_longer_from_the_start_is_not_hastened(world: World) -> None:
    world.close()
    world = World(world.store.url, rules(retry_our_fault_min=20))
    world.hear(call("09012345699"))
    tried(world, "agent-no-answer", NOON)
    assert world.reservations()[-1].due_at == NOON + 20 * MINUTE + 30 * US


def test_that_nobody_answers_is_told_at_five_in_a_row_and_then_at_twice_as_many(world: World) -> None:
    for n in range(10):
        world.hear(call(f"0901234560{n}", ended_at=NOON + n * US))
    told_at = {}
    for n in range(10):
        told = tried(world, "agent-no-answer", NOON + 20 * US + n * US)
        told_at[n + 1] = alarms(told)
    assert {times for times, events in told_at.items() if events} == {5, 10}
    assert told_at[5] == ["agents-silent"]


@pytest.mark.parametrize("outcome", ["reached", "busy"])
def test_when_one_answers_again_that_is_told_once(world: World, outcome: str) -> None:
    for n in range(8):
        world.hear(call(f"0901234560{n}", ended_at=NOON + n * US))
    for n in range(5):
        told = tried(world, "agent-no-answer", NOON + 20 * US + n * US)
    assert alarms(told) == ["agents-silent"]
    assert alarms(tried(world, outcome, NOON + 30 * US)) == ["agents-back"]
    assert alarms(tried(world, outcome, NOON + 31 * US)) == []
    assert alarms(tried(world, "agent-no-answer", NOON + 32 * US)) == []


def test_another_queue_has_its_own_agents(world: World) -> None:
    for n in range(5):
        world.hear(call(f"0901234560{n}", ended_at=NOON + n * US, queue="support" if n else "sales"))
    told = [news for n in range(5) for news in tried(world, "agent-no-answer", NOON + 20 * US + n * US)]
    assert alarms(told) == []
