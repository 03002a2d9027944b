"""What would come of it: told by the same schedule that the alarm is told by, and nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from callback.attempts import forecast, snapshot
from callback.decisions import actions
from callback.reports import breaking, what_if
from callback.reports.breaking import Breaking
from callback.reports.what_if import CalledNow, MoreAgents
from callback.site.pauses import Pause
from callback.store.audit import By
from scheduler import promise_forecast
from tests.callback.world import MINUTE, NOON, ON, World, call, picture, rules

WHY = By("Anna", "asked for it")
CALL = (240 + 25) * MINUTE // 60
"""What a callback takes where too few calls were seen to tell, and the ringing before."""


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    far = ON.model_copy(update={"group": "far"})
    made = World(migrated_url, rules(queues={"support": ON, "sales": ON, "far": far}))
    yield made
    made.close()


def lose(world: World, many: int, at: int = NOON, first: int = 0, queue: str = "support") -> list[int]:
    before = {row.id for row in world.reservations()}
    with world.store.write() as connection:
        for number in range(first, first + many):
            world.hear_in(connection, call(f"0901234{number:04}", at, queue=queue))
    return [row.id for row in world.reservations() if row.id not in before]


def show(world: World, agents: int, at: int, closed: str | None = None) -> None:
    """Let the service show so many agents at work for support."""
    phones = frozenset(f"PJSIP/{number}" for number in range(agents))
    live = replace(picture(closed=closed), at_work={"support": phones, "sales": phones})
    with world.store.write() as connection:
        snapshot.store(connection, "main", live, at)


def seen(world: World, at: int, groups: frozenset[str] | None = None) -> dict[str, Breaking]:
    with world.store.read() as connection:
        work = world.work(connection, at)
        return breaking.look(work, snapshot.recall(connection, "main"), groups)


def called(world: World, at: int, *reservations: int, groups: frozenset[str] | None = None) -> list[CalledNow]:
    with world.store.read() as connection:
        return what_if.call_now(world.work(connection, at), reservations, groups)


def test_what_breaks_is_what_the_alarm_forecasts_and_has_names(world: World) -> None:
    lose(world, 30)
    show(world, 1, NOON)
    found = seen(world, NOON)["site"]
    crews = forecast.crews({"support": {"PJSIP/0"}}, {}, world.site)
    with world.store.read() as connection:
        assert found.forecast == forecast.forecasts(world.work(connection, NOON), crews)["site"]
    assert len(found.missed) == found.forecast.missed > 0
    assert found.missed == found.owed, "an agent could keep each of them"
    assert found.hopeless == frozenset()


def test_a_promise_that_may_not_be_called_in_time_is_missed_whoever_works(world: World) -> None:
    lose(world, 1)
    (hopeless,) = lose(world, 1, first=1)
    with world.store.write() as connection:
        actions.postpone(world.work(connection, NOON), hopeless, NOON + 90 * MINUTE, WHY)
    show(world, 3, NOON)
    found = seen(world, NOON)["site"]
    assert found.hopeless == {hopeless}
    assert not found.missed
    assert [one.reservation for one in found.owed] == [hopeless]


def test_only_groups_that_may_be_seen_are_read(world: World) -> None:
    lose(world, 2)
    lose(world, 3, first=2, queue="far")
    show(world, 1, NOON)
    assert {group: one.forecast.due for group, one in seen(world, NOON).items()} == {"far": 3, "site": 2}
    assert list(seen(world, NOON, frozenset({"far"}))) == ["far"]
    assert seen(world, NOON, frozenset()) == {}


@pytest.mark.parametrize("closed", [None, "pbx-not-connected"])
def test_more_agents_keep_what_the_schedule_says(world: World, closed: str | None) -> None:
    lose(world, 40)
    show(world, 1, NOON, closed)
    found = seen(world, NOON)["site"]
    told = what_if.more_agents(found, NOON)
    for one in told:
        plan = promise_forecast.schedule(found.dues, found.crew, one.more, NOON)
        assert one == MoreAgents(one.more, plan.ends_at, found.forecast.missed, plan.missed)
    assert [one.more for one in told] == [1, 2, 3]
    assert told[0].after > told[1].after >= told[2].after
    assert found.forecast.more > 3 or told[found.forecast.more - 1].after == 0


def test_agents_who_help_for_a_while_keep_less_than_those_who_stay(world: World) -> None:
    lose(world, 40)
    show(world, 1, NOON)
    found = seen(world, NOON)["site"]
    (stays,) = what_if.more_agents(found, NOON, most=1)
    (leaves,) = what_if.more_agents(found, NOON, NOON + 20 * MINUTE, most=1)
    assert (leaves.until_at, leaves.before) == (NOON + 20 * MINUTE, stays.before)
    begun = -(-20 * MINUTE // CALL)  # callbacks that one agent begins in twenty minutes
    assert leaves.before - leaves.after == begun
    assert leaves.after > stays.after


def test_calling_one_now_makes_those_before_it_slip(world: World) -> None:
    early = lose(world, 12)
    (late,) = lose(world, 1, NOON + 4 * MINUTE, first=12)
    at = NOON + 5 * MINUTE
    show(world, 1, at)
    (told,) = called(world, at, late)
    assert (told.group, told.reservations, told.at) == ("site", (late,), at)
    begun = {slip.reservation: (slip.before_at, slip.after_at) for slip in told.slips}
    assert begun
    assert set(begun) <= set(early)
    assert all(before_at is not None and after_at in {before_at + CALL, None} for before_at, after_at in begun.values())


def test_calling_one_now_is_within_its_lane(world: World) -> None:
    """Those inside the aim are called first all the same: the service knows no other order."""
    (early,) = lose(world, 1)
    lose(world, 3, NOON + 30 * MINUTE, first=1)
    at = NOON + 31 * MINUTE
    show(world, 1, at)
    (told,) = called(world, at, early)
    assert (told.at, told.slips) == (at + 3 * CALL, ())


def test_where_agents_are_enough_nobody_slips(world: World) -> None:
    (one, *_) = lose(world, 3)
    show(world, 3, NOON)
    (told,) = called(world, NOON, one)
    assert (told.at, told.slips) == (NOON, ())


def test_where_nobody_is_there_nobody_is_called(world: World) -> None:
    (one, *_) = lose(world, 3)
    show(world, 0, NOON)
    (told,) = called(world, NOON, one)
    assert (told.at, told.slips) == (None, ())


def test_a_held_one_can_be_called_and_a_closed_or_unseen_one_cannot(world: World) -> None:
    held, gone, far = (*lose(world, 2), *lose(world, 1, first=2, queue="far"))
    show(world, 1, NOON)
    with world.store.write() as connection:
        actions.hold(world.work(connection, NOON), held, WHY)
        actions.cancel(world.work(connection, NOON), gone, WHY)
    assert [one.reservations for one in called(world, NOON, held, gone)] == [(held,)]
    assert (
        called(world, NOON, gone) == called(world, NOON, far, groups=frozenset({"site"})) == called(world, NOON) == []
    )


def test_nothing_is_changed(world: World) -> None:
    ids = lose(world, 5)
    show(world, 1, NOON)
    before = world.reservations()
    called(world, NOON, *ids)
    assert world.reservations() == before


def pause(world: World, queue: str, until_at: int) -> None:
    one = Pause(1, "call", queue, NOON, until_at, "Anna", "works")
    world.site = replace(world.site, pauses=(one,))


def test_a_paused_queue_asks_for_nobody_before_the_pause_ends(world: World) -> None:
    lose(world, 30)
    show(world, 2, NOON)
    pause(world, "support", NOON + 65 * MINUTE)
    found = seen(world, NOON)["site"]
    assert (found.forecast.due, found.forecast.missed, found.forecast.more) == (30, 0, 0), "no agent keeps these"
    assert len(found.hopeless) == 30
    pause(world, "", NOON + 40 * MINUTE)
    found = seen(world, NOON)["site"]
    assert found.hopeless == frozenset()
    assert found.forecast.more > 0, "they are called in what is left of the hour"
    plan = promise_forecast.schedule(found.dues, found.crew, 0, NOON)
    assert min(at for _, at in plan.begun) >= NOON + 40 * MINUTE
    pause(world, "far", NOON + 65 * MINUTE)
    assert seen(world, NOON)["site"].hopeless == frozenset(), "another queue"


def test_nobody_of_a_paused_queue_is_called_now(world: World) -> None:
    (one, *_) = lose(world, 3)
    show(world, 3, NOON)
    pause(world, "support", NOON + 10 * MINUTE)
    (told,) = called(world, NOON, one)
    assert told.at is not None
    assert told.at >= NOON + 10 * MINUTE
