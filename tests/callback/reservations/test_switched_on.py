"""To switch calls on is no reason to ring those whom the service had only watched: it begins with new losses."""

from __future__ import annotations

from typing import Any

import pytest

from callback.decisions import actions
from callback.events import Happened
from callback.reservations import switched_on
from callback.settings.rules import QueueRules, SiteRules
from callback.site.context import take_over
from callback.store.audit import By
from tests.callback.world import MINUTE, NOON, ON, US, World, call, rules, told_by

WATCH = QueueRules(caller_id="0312345678")
TRIED = ON.model_copy(update={"only_numbers": ("+819012345601",)})


def site(support: QueueRules) -> SiteRules:
    return rules(queues={"support": support})


def start(world: World, support: QueueRules, now: int) -> list[Happened]:
    """The service begins anew under these rules."""
    settings = world.settings.model_copy(update={"rules": site(support)})
    with world.store.write() as connection:
        world.site = take_over(connection, settings, now)
        return told_by(switched_on.begin, world.work(connection, now))


def states(world: World) -> list[str]:
    return [row.state for row in world.reservations()]


def test_whom_it_had_only_watched_is_left_to_people_and_the_next_loss_is_called(migrated_url: str) -> None:
    world = World(migrated_url, site(WATCH))
    world.hear(call("09012345601"))
    (told,) = start(world, ON, NOON + MINUTE)
    assert (told.name, told.facts["why"]) == ("expired", "only-watched")
    assert world.claim(NOON + MINUTE + US) is None
    assert world.texts() == {}
    world.hear(call("09012345601", NOON + 2 * MINUTE))
    assert world.claim(NOON + 2 * MINUTE + US) is not None
    assert states(world) == ["expired", "calling"]
    world.close()


def test_what_was_promised_while_calls_were_on_stands_though_they_were_off_meanwhile(migrated_url: str) -> None:
    world = World(migrated_url, site(ON))
    world.hear(call("09012345601"))
    assert start(world, WATCH, NOON + MINUTE) == []
    world.hear(call("09012345602", NOON + 2 * MINUTE))
    told = start(world, ON, NOON + 3 * MINUTE)
    assert [news.facts["reservation"] for news in told] == [2]
    assert states(world) == ["waiting", "expired"]
    assert start(world, ON, NOON + 4 * MINUTE) == [], "once"
    world.close()


@pytest.mark.parametrize(("then", "gone"), [(TRIED, [1]), (ON, [1, 2]), (WATCH, [])])
def test_with_some_numbers_first_only_those_are_switched_on(
    migrated_url: str, then: QueueRules, gone: list[int]
) -> None:
    world = World(migrated_url, site(WATCH))
    for n in (1, 2):
        world.hear(call(f"0901234560{n}", NOON + n * US))
    assert [news.facts["reservation"] for news in start(world, then, NOON + MINUTE)] == gone
    world.close()


def test_whom_a_person_holds_may_be_let_go_by_that_person(migrated_url: str) -> None:
    world = World(migrated_url, site(WATCH))
    world.hear(call("09012345601"))
    by = By("anna", "the customer wrote to us")
    with world.store.write() as connection:
        actions.hold(world.work(connection, NOON), 1, by)
    assert start(world, ON, NOON + MINUTE) == []
    with world.store.write() as connection:
        actions.resume(world.work(connection, NOON + 2 * MINUTE), 1, by)
    assert world.claim(NOON + 2 * MINUTE + US) is not None
    world.close()


def test_an_empty_database_switches_nothing(world: World) -> None:
    with world.store.write() as connection:
        assert told_by(switched_on.begin, world.work(connection, NOON)) == []


def test_rules_of_another_shape_are_taken_for_off(migrated_url: str) -> None:
    """An old version of the rules may know no queues at all."""
    world = World(migrated_url, rules(queues={}))
    world.hear(call("09012345601"))
    facts: Any = start(world, ON, NOON + MINUTE)
    assert len(facts) == 1
    world.close()
