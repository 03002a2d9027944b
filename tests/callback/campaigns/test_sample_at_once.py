"""A person decides about a sample while the service goes on with it: neither undoes what the other did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest

from callback.campaigns import asking
from callback.decisions.campaigns import sampling
from callback.store import tables as t
from callback.store.engine import Store
from scheduler.clock import DAY
from tests.callback.campaigns.crowd import CARE, audience
from tests.callback.campaigns.test_sample import MEG, ask_on, do, draw, drawn_people, ended
from tests.callback.world import NOON, World

LATER = NOON + 3 * DAY
WAITS_S = 0.5  # for whoever has to: nobody waits here once it is right, but for a call-off


@pytest.fixture
def world(migrated_postgres: tuple[str, Store]) -> Iterator[World]:
    made = World(migrated_postgres[0], CARE)
    yield made
    made.close()


@pytest.fixture
def number(world: World) -> int:
    made = audience(world, {"all": 1})
    draw(world, made, size=1)
    return made


def meanwhile(world: World, first: Callable[..., Any], *about: Any, second: Callable[[], Any]) -> Any:
    """Let the second begin while the first is not committed."""
    with ThreadPoolExecutor(1) as pool:
        with world.store.write() as connection:
            first(world.work(connection, LATER), *about)
            begun = pool.submit(second)
            wait([begun], WAITS_S)
        return begun.result(timeout=10)


def asked(world: World) -> Any:
    (found,) = world.rows(t.campaign_asked)
    return found


def test_who_is_scored_meanwhile_is_not_called(world: World, number: int) -> None:
    (person,) = drawn_people(world)
    key = (number, 1, person)
    meanwhile(world, sampling.score, key, 7, MEG, second=lambda: do(world, asking.reserve_due, now=LATER))
    assert (asked(world).state, asked(world).score, world.reservations()) == ("scored", 7, [])


def test_a_score_is_not_lost_to_not_reached(world: World, number: int) -> None:
    (person,) = drawn_people(world)
    ask_on(world, LATER)
    ended(world, world.reservations()[0].id, "given-up")
    key = (number, 1, person)
    meanwhile(world, sampling.score, key, 7, MEG, second=lambda: do(world, asking.settle_unreached, now=LATER))
    assert (asked(world).state, asked(world).score) == ("scored", 7)


def test_who_is_called_off_meanwhile_is_not_called(world: World, number: int) -> None:
    meanwhile(world, asking.reserve_due, second=lambda: do(world, sampling.call_off, number, 1, MEG, now=LATER))
    assert (asked(world).state, asked(world).why_not) == ("blank", "called-off")
    assert [row.state for row in world.reservations()] == ["cancelled"]


def test_a_call_off_that_is_first_holds(world: World, number: int) -> None:
    meanwhile(world, sampling.call_off, number, 1, MEG, second=lambda: do(world, asking.reserve_due, now=LATER))
    assert (asked(world).state, world.reservations()) == ("blank", [])
