"""What proposed rules would change, told by queue: of the last days' losses, and of whoever waits now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from callback.attempts import snapshot
from callback.reports.rules_preview.effect import Effect, effect
from callback.settings.rules import QueueRules, SiteRules
from callback.site.context import site_of
from callback.store import tables as t
from scheduler.clock import DAY
from tests.callback.world import MINUTE, NOON, US, World, at, call, picture

LATER = NOON + 3 * 60 * MINUTE


def seen(
    world: World, now: int = LATER, groups: frozenset[str] | None = None, most: int = 100, **changes: Any
) -> Effect:
    proposed = SiteRules.model_validate(world.site.rules.model_dump() | changes)
    site = site_of(world.settings.model_copy(update={"rules": proposed}), 2)
    with world.store.read() as connection:
        return effect(world.work(connection, now), site, groups, most=most)


def reach(world: World, after_min: int, now: int = NOON) -> None:
    """The next customer is dialled so long after noon, and reached."""
    order = world.claim(now + after_min * MINUTE)
    assert order is not None
    with world.store.write() as connection:
        dialled = t.attempt.update().where(t.attempt.c.id == order.attempt)
        connection.execute(dialled.values(customer_dialled_at=now + after_min * MINUTE))
    world.end(order.attempt, "reached", now + (after_min + 2) * MINUTE)


def test_the_same_rules_change_nothing(world: World) -> None:
    world.hear(call())
    told = seen(world)
    assert (told.looked_at, told.lost, told.erased) == (1, 1, 0)
    assert (told.promises[""].same, told.promises["support"].same) == (1, 1)
    assert not told.promises[""].changed


def test_a_shorter_window_promises_earlier_and_what_was_kept_is_measured_by_what_happened(world: World) -> None:
    world.hear(call("09012345671"))
    reach(world, 10)
    world.hear(call("09012345672", NOON + 15 * MINUTE))
    reach(world, 50)
    told = seen(world, window_min=30, aim_min=20).promises[""]
    assert (told.earlier, told.later, told.same) == (2, 0, 0)
    assert told.earlier_by == 30 * MINUTE
    assert (told.measured, told.kept_before, told.kept_after) == (2, 2, 1)
    columns = told.earlier + told.later + told.same + told.no_more.total() + told.newly.total() + told.never
    assert columns == told.losses


def test_a_longer_window_promises_later(world: World) -> None:
    world.hear(call())
    told = seen(world, window_min=90).promises["support"]
    assert (told.later, told.later_by) == (1, 30 * MINUTE)
    assert told.measured == 1
    assert told.kept_after == 0


def test_nobody_knows_yet_whether_a_promise_to_come_is_kept(world: World) -> None:
    world.hear(call())
    assert seen(world, NOON + 10 * MINUTE, window_min=30).promises[""].measured == 0


def test_who_gave_up_too_soon_is_owed_nothing_any_more_or_newly(world: World) -> None:
    world.hear(call("09012345671", waited_s=8))
    world.hear(call("09012345672", waited_s=2))
    assert seen(world, short_abandon_s=10).promises[""].no_more == {"short-abandon": 1}
    assert seen(world, short_abandon_s=1).promises[""].newly == {"short-abandon": 1}


def test_texts_are_counted(world: World) -> None:
    world.hear(call())
    told = seen(world, queues={"support": QueueRules().model_dump()}).promises[""]
    assert (told.texts_before, told.texts_after) == (1, 0)
    assert told.changed


def test_only_groups_that_may_be_seen_are_told_of(world: World) -> None:
    world.hear(call())
    assert seen(world, groups=frozenset({"elsewhere"})).promises[""].losses == 0
    assert set(seen(world, groups=frozenset({"site"})).promises) == {"", "support"}


def test_of_too_many_the_newest_are_looked_at(world: World) -> None:
    for n in range(4):
        world.hear(call(f"0901234567{n}", NOON + n * MINUTE))
    told = seen(world, most=3)
    assert (told.looked_at, told.lost, told.promises[""].losses) == (3, 4, 3)


def test_what_is_older_than_a_week_is_left_alone(world: World) -> None:
    world.hear(call(ended_at=NOON - 8 * DAY))
    assert seen(world, NOON).lost == 0


def test_what_the_customer_was_owed_before_the_week_began_is_joined(world: World) -> None:
    """Of a caller lost again the promise that stands is kept, also where its loss is too long ago to be looked at."""
    first = at("23:00", 15)  # nobody may be rung at night: promised for nine in the morning
    world.hear(call(ended_at=first))
    world.hear(call(ended_at=first + 30 * MINUTE))
    with world.store.read() as connection:
        work = world.work(connection, first + 7 * DAY + 10 * MINUTE)
        told = effect(work, replace(world.site), None)
    assert told.lost == 1
    assert told.promises[""].texts_after == told.promises[""].texts_before
    assert told.promises[""].same == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, {}),
        ({"queues": {"support": QueueRules().model_dump()}}, {("in-aim", "watch"): 1, ("pacing", "watch"): 1}),
        ({"pacing": {"keep_free": 1}}, {("in-aim", "kept-free"): 1, ("pacing", "kept-free"): 1}),
    ],
)
def test_what_the_dispatcher_would_say_of_those_who_wait(
    world: World, changes: dict[str, Any], words: dict[tuple[str, str], int]
) -> None:
    for n in range(2):
        world.hear(call(f"0901234567{n}", NOON + n * US))
    before = world.reservations()
    with world.store.write() as connection:
        snapshot.store(connection, "main", picture(), NOON + 2 * US)
    told = seen(world, NOON + 2 * US, **changes)
    assert (told.judged, told.waiting, told.stopped) == (2, 2, None)
    assert dict(told.decisions[""].words) == dict(told.decisions["support"].words) == words
    assert told.decisions["support"].changed == sum(words.values())
    assert world.reservations() == before


def test_while_nobody_is_called_at_all_it_says_so(world: World) -> None:
    world.hear(call())
    assert seen(world).stopped == "service-not-running"


def test_whom_no_rules_promise_anything_is_counted_too(world: World) -> None:
    world.hear(call("09012340001", NOON))
    world.hear(call("", NOON))
    told = seen(world, window_min=30).promises[""]
    assert (told.losses, told.earlier, told.never) == (2, 1, 1)
