"""Alarms: said before promises break, once, again when it has changed much, and when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from callback.attempts import forecast
from callback.attempts.load import at_work
from callback.events import Happened
from callback.settings.rules import QueueRules
from callback.store import tables as t
from scheduler.policy import QueueLoad
from scheduler.promise_forecast import Crew, PromiseForecast
from telephony.agents import AgentsView
from telephony.events import QueueMember
from tests.callback.world import MINUTE, NOON, ON, US, World, at, call, picture, rules, told_by

ALONE = {"site": Crew(1, 240)}
IDLE = (1, False, False, 0, 0, False)  # status, paused, in a call, last call, wrap-up, gone
PAUSED = (1, True, False, 0, 0, False)


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    far = ON.model_copy(update={"group": "far"})
    made = World(migrated_url, rules(queues={"support": ON, "sales": ON, "far": far, "desk": QueueRules()}))
    yield made
    made.close()


def lose(world: World, many: int, queue: str = "support", at: int = NOON, first: int = 0) -> None:
    with world.store.write() as connection:
        for n in range(first, first + many):
            world.hear_in(connection, call(f"0901234{n:04}", at, queue=queue))


def seen(world: World, now: int, crews: dict[str, Crew] = ALONE) -> dict[str, PromiseForecast]:
    with world.store.read() as connection:
        return forecast.forecasts(world.work(connection, now), crews)


def tell(world: World, now: int, crews: dict[str, Crew] = ALONE) -> list[Happened]:
    forecasts = seen(world, now, crews)
    with world.store.write() as connection:
        return told_by(forecast.tell, world.work(connection, now), forecasts)


def test_one_agent_cannot_call_thirty_back_within_the_hour(world: World) -> None:
    lose(world, 30)
    (told,) = tell(world, NOON)
    assert (told.name, told.facts["group"], told.facts["again"]) == ("alarm", "site", False)
    assert (told.facts["due"], told.facts["missed"], told.facts["more"]) == (30, 14, 1)
    assert told.facts["until_at"] == NOON + 60 * MINUTE


def test_it_is_raised_once_and_again_only_when_it_has_changed_much(world: World) -> None:
    lose(world, 25)
    assert len(tell(world, NOON)) == 1
    assert tell(world, NOON + 15 * US) == []
    lose(world, 1, at=NOON + 20 * US, first=25)
    assert tell(world, NOON + 30 * US) == []
    lose(world, 20, at=NOON + 40 * US, first=40)
    (again,) = tell(world, NOON + 45 * US)
    assert (again.facts["again"], again.facts["due"]) == (True, 46)
    assert tell(world, NOON + 60 * US) == []


def test_it_is_told_when_it_is_over_but_not_for_a_moment(world: World) -> None:
    lose(world, 30)
    tell(world, NOON)
    more = {"site": Crew(3, 240)}
    assert tell(world, NOON + MINUTE, more) == []
    assert tell(world, NOON + 90 * US) == [], "nor is it raised again"
    assert tell(world, NOON + 2 * MINUTE, more) == []
    (over,) = tell(world, NOON + 4 * MINUTE, more)
    assert (over.name, over.facts) == ("alarm-over", {"group": "site", "raised_at": NOON})
    assert world.rows(t.alarm) == []


def test_each_group_of_queues_has_its_own_agents_and_alarm(world: World) -> None:
    lose(world, 10)
    lose(world, 10, queue="sales", first=20)
    lose(world, 10, queue="far", first=40)
    found = seen(world, NOON, {"site": Crew(1, 240), "far": Crew(1, 240)})
    assert {group: (one.due, one.missed) for group, one in found.items()} == {"site": (20, 4), "far": (10, 0)}


def test_a_group_in_which_nobody_works_keeps_nothing(world: World) -> None:
    lose(world, 3)
    assert seen(world, NOON, {})["site"].missed == 3


def test_before_opening_nobody_is_missed_who_is_not_expected_yet(world: World) -> None:
    lose(world, 5, at=at("21:45"))
    assert tell(world, at("07:30", 24), {}) == []
    (told,) = tell(world, at("08:00", 24), {})
    assert told.facts["missed"] == 5


def test_only_those_count_who_are_to_be_called_and_still_can_be_in_time(world: World) -> None:
    lose(world, 5)
    lose(world, 5, queue="desk", first=10)  # only watched
    lose(world, 5, at=NOON - 61 * MINUTE, first=20)  # too late already
    free = picture(free={"support": {"a", "b", "c"}})
    assert world.claim(NOON, free) is not None
    assert seen(world, NOON)["site"].due == 4


def there(*members: tuple[str, str, tuple[Any, ...]]) -> dict[str, set[str]]:
    agents = AgentsView()
    for queue, phone, (status, paused, in_call, last, wrapup, gone) in members:
        agents.feed(QueueMember(NOON, queue, phone, phone, phone, status, paused, in_call, last, wrapup, gone))
    return {queue: at_work(agents, queue) for queue in agents.queues}


def test_an_agent_in_two_queues_of_a_group_is_one_and_who_is_on_a_break_is_none(world: World) -> None:
    agents = there(("support", "a", IDLE), ("sales", "a", IDLE), ("sales", "b", IDLE), ("support", "c", PAUSED))
    crews = forecast.crews(agents, {}, world.site)
    assert crews == {"site": Crew(2, forecast.USUAL_S + world.site.rules.ring_s)}


def test_live_callers_need_their_agents_first(world: World) -> None:
    agents = there(*(("support", f"agent{n}", IDLE) for n in range(5)), ("sales", "agent0", IDLE))
    load = QueueLoad(5, 2, calls_s=0.02, handle_s=150, patience_s=60, pool=frozenset({"support", "sales"}))
    crew = forecast.crews(agents, {"support": load, "sales": load}, world.site)["site"]
    assert crew == Crew(5 - 3.0, 150 + world.site.rules.ring_s)
