"""Whoever was left to people leaves their list when somebody has dealt with it, and nothing else changes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from callback.decisions import handled
from callback.decisions.handled import Handled
from callback.decisions.records import Asked
from callback.reports.queue import closed
from callback.store import tables as t
from callback.store.audit import By
from tests.callback.world import MINUTE, NOON, ON, US, World, call, rules

ANNA = By("anna", "a colleague has spoken to the customer")
LATER = NOON + 4 * 60 * MINUTE


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    """Two who were left to people, of two groups, and one who still waits."""
    trade = ON.model_copy(update={"group": "trade"})
    made = World(migrated_url, rules(queues={"support": ON, "sales": trade}))
    made.hear(call("09012345601", NOON))
    made.hear(call("09012345602", NOON + US, queue="sales"))
    made.carry_over(NOON + 61 * MINUTE)
    made.carry_over(NOON + 122 * MINUTE)
    made.hear(call("09012345603", LATER - MINUTE))
    yield made
    made.close()


def left(world: World) -> list[int]:
    with world.store.read() as connection:
        return [row.reservation for row in closed.page(world.work(connection, LATER), closed.LEFT).rows]


def asked(world: World, *ids: int) -> list[Asked]:
    return [Asked(row.id, row.revision) for row in world.reservations() if row.id in ids]


def handle(world: World, which: list[Asked], groups: frozenset[str] | None = None, now: int = LATER) -> Handled:
    with world.store.write() as connection:
        return handled.handle(world.work(connection, now), which, ANNA, groups)


def test_it_leaves_the_list_and_stays_what_it_was(world: World) -> None:
    assert left(world) == [2, 1]
    said = handle(world, asked(world, 1))
    assert (said.done, said.refused, said.undo_until_at) == ((1,), (), LATER + 15 * US)
    assert left(world) == [2]
    (first, *_) = world.reservations()
    assert (first.state, first.open, first.handled_at) == ("expired", False, LATER)
    assert [(row.action, row.who, row.why) for row in world.rows(t.audit)][-1] == ("handled", "anna", ANNA.why)


def test_only_what_was_left_to_people_as_it_was_seen_and_of_ones_own_group(world: World) -> None:
    stale = [Asked(one.reservation, one.revision + 1) for one in asked(world, 1)]
    assert handle(world, [*stale, *asked(world, 3), Asked(99, 1)]).refused == (1, 3, 99)
    assert handle(world, asked(world, 1, 2), frozenset({"trade"})).refused == (1,)
    assert left(world) == [1]
    assert handle(world, asked(world, 2)).refused == (2,), "somebody else was quicker"


def test_it_is_taken_back_for_a_quarter_of_a_minute(world: World) -> None:
    handle(world, asked(world, 1, 2))
    with world.store.write() as connection:
        back = handled.take_back(world.work(connection, LATER + 15 * US), [1, 3, 99], ANNA)
    assert (back.done, back.refused) == ((1,), (3, 99))
    assert left(world) == [1]
    with world.store.write() as connection:
        late = handled.take_back(world.work(connection, LATER + 16 * US), [2], ANNA)
    assert (late.done, late.refused) == ((), (2,))
