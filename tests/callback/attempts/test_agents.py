"""Agents who press "reject" are rung less and less often for one customer, and people hear of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from callback.attempts import claim, settle
from callback.events import Happened
from callback.reservations import reservation
from tests.callback.world import MINUTE, NOON, US, World, call, picture, rules

FREE = picture(free={"support": {f"PJSIP/agent{n}" for n in range(9)}, "sales": {"PJSIP/agent9"}})


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    made = World(migrated_url, rules(window_min=600))
    yield made
    made.close()


def tried(world: World, outcome: str, now: int) -> list[Happened]:
    """A callback that ends after half a minute; whoever was reached had an agent."""
    order = world.claim(now, FREE)
    assert order is not None, "nobody is due"
    if outcome != "agent-no-answer":
        with world.store.write() as connection:
            settle.progress(
                world.work(connection, NOON), order.attempt, "agent_connected_at", now + 10 * US, "Agent One"
            )
    return world.end(order.attempt, outcome, now + 30 * US)


def alarms(told: list[Happened]) -> list[str]:
    return [news.name for news in told if news.event.ALARMING]


def test_for_one_customer_they_are_rung_less_and_less_often_which_costs_no_try(world: World) -> None:
    world.hear(call())
    now, waits = NOON, []
    for _ in range(7):
        tried(world, "agent-no-answer", now)
        (row,) = world.reservations()
        waits.append((row.not_before_at - now - 30 * US) // MINUTE)
        now = row.not_before_at
    assert waits == [1, 2, 4, 8, 10, 10, 10]
    assert row.tries == 0


@pytest.mark.parametrize("between", ["busy", "no-answer", "declined"])
def test_once_somebody_answered_it_begins_anew(world: World, between: str) -> None:
    world.hear(call())
    now = NOON
    for outcome in ("agent-no-answer", "agent-no-answer", between, "agent-no-answer"):
        tried(world, outcome, now)
        ended, now = now + 30 * US, world.reservations()[0].not_before_at
    assert now - ended == MINUTE


def test_a_site_that_waits_longer_from_the_start_is_not_hastened(world: World) -> None:
    world.close()
    world = World(world.store.url, rules(retry_our_fault_min=20))
    world.hear(call("09012345699"))
    tried(world, "agent-no-answer", NOON)
    assert world.reservations()[-1].not_before_at == NOON + 20 * MINUTE + 30 * US


def lose_many(world: World, *queues: str) -> None:
    for n, queue in enumerate(queues):
        world.hear(call(f"09012345{600 + n}", ended_at=NOON + n * US, queue=queue))


def next_try(world: World, now: int) -> int:
    """When the service, which asks each second, claims the next callback."""
    return next(at for at in range(now, now + 60 * MINUTE, US) if world.claim(at, FREE) is not None)


def test_a_queue_whose_agents_take_nothing_rests_longer_and_longer_and_no_customer_loses_a_try(world: World) -> None:
    """However many are owed a callback: one is tried after each rest, and agents' phones are silent meanwhile."""
    lose_many(world, *["support"] * 20)
    now = NOON + 30 * US
    for _ in range(3):
        tried(world, "agent-no-answer", now)
    ended, rests = now + 30 * US, []
    for _ in range(6):
        began = next_try(world, ended)
        rests.append((began - ended) // US)
        (flight,) = [row for row in world.attempts() if row.in_flight]
        assert world.claim(began + US, FREE) is None, "one at a time"
        ended = began + 30 * US
        world.end(flight.id, "agent-no-answer", ended)
    assert rests == [60, 120, 240, 480, 600, 600]
    assert {row.tries for row in world.reservations()} == {0}


@pytest.mark.parametrize("outcome", ["reached", "busy", "no-answer"])
def test_the_rest_ends_with_the_first_callback_that_an_agent_takes(world: World, outcome: str) -> None:
    lose_many(world, *["support"] * 8)
    now = NOON + 30 * US
    for _ in range(3):
        tried(world, "agent-no-answer", now)
    assert world.claim(now + 89 * US, FREE) is None
    tried(world, outcome, now + 90 * US)
    for n in range(3):
        assert world.claim(now + (121 + n) * US, FREE) is not None


def test_while_an_agent_talks_with_the_customer_of_the_trial_others_are_called(world: World) -> None:
    lose_many(world, *["support"] * 8)
    now = NOON + 30 * US
    for _ in range(3):
        tried(world, "agent-no-answer", now)
    order = world.claim(now + 90 * US, FREE)
    assert order is not None
    assert world.claim(now + 95 * US, FREE) is None
    with world.store.write() as connection:
        settle.progress(world.work(connection, NOON), order.attempt, "agent_connected_at", now + 96 * US, "Agent One")
    assert world.claim(now + 97 * US, FREE) is not None


def test_another_queue_does_not_rest_with_it(world: World) -> None:
    lose_many(world, *["support"] * 5, "sales")
    now = NOON + 30 * US
    for _ in range(3):
        tried(world, "agent-no-answer", now)
    order = world.claim(now + 31 * US, FREE)
    assert (order.queue if order else None) == "sales"


def test_that_nobody_answers_is_told_at_three_in_a_row_and_then_at_twice_as_many(world: World) -> None:
    lose_many(world, *["support"] * 12)
    told_at, now = {}, NOON + 30 * US
    for n in range(8):
        told_at[n + 1] = alarms(tried(world, "agent-no-answer", now))
        now += 11 * MINUTE if n > 1 else US
    assert {times for times, events in told_at.items() if events} == {3, 6}
    assert told_at[3] == ["agents-silent"]


@pytest.mark.parametrize("outcome", ["reached", "busy"])
def test_when_one_answers_again_that_is_told_once(world: World, outcome: str) -> None:
    lose_many(world, *["support"] * 8)
    for n in range(3):
        told = tried(world, "agent-no-answer", NOON + (20 + n) * US)
    assert alarms(told) == ["agents-silent"]
    assert alarms(tried(world, outcome, NOON + 3 * MINUTE)) == ["agents-back"]
    assert alarms(tried(world, outcome, NOON + 3 * MINUTE + US)) == []
    assert alarms(tried(world, "agent-no-answer", NOON + 3 * MINUTE + 2 * US)) == []


def test_another_queue_has_its_own_agents(world: World) -> None:
    lose_many(world, "sales", "support", "support")
    told = [news for n in range(3) for news in tried(world, "agent-no-answer", NOON + (20 + n) * US)]
    assert alarms(told) == []


def test_the_queue_says_that_it_rests_and_until_when(world: World) -> None:
    lose_many(world, *["support"] * 5)
    now = NOON + 30 * US
    for _ in range(3):
        tried(world, "agent-no-answer", now)
    with world.store.read() as connection:
        rows = reservation.read(connection, reservation.RESERVATIONS)
        seen = claim.look(world.work(connection, now + 40 * US), FREE)
        why = claim.why_not(rows, seen, world.site, FREE, now + 40 * US)
    assert ("agents-rest", now + 90 * US) in why.values()
