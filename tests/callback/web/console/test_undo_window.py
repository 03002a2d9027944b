"""Many are cancelled at once: until 15 s have passed that is undone row by row, and then it is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from callback.decisions.records import Action
from callback.texts import compose
from tests.callback.decisions.deciding import T0, acts, decide, seen, send_texts, settle, stands, states
from tests.callback.web.console.test_acts import heard
from tests.callback.world import MINUTE, NOON, US, World, at, call, rules
from tests.console.served import Served, serve
from tests.console.visitor import Visitor

MANY = 40


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    made = World(migrated_url, rules(slot_room=MANY))
    yield made
    made.close()


@pytest.fixture
def console(world: World) -> Iterator[Served]:
    """Forty who wait: some chose a time, some were put off, are somebody's, or were lost three times."""
    for n in range(MANY):
        world.hear(call(f"090123456{n:02}", NOON + n))
    for n in range(1, MANY + 1, 8):
        for again in range(1, 4):
            world.hear(call(f"090123456{n - 1:02}", NOON + again * US))
    send_texts(world, NOON + 40 * US)
    acts_before: tuple[tuple[int, Action, dict[str, Any]], ...] = (
        (2, "slot", {"at": at("15:00")}),
        (3, "postpone", {"at": at("14:00")}),
        (4, "assign", {"to": "dora"}),
        (5, "call-now", {}),
        (6, "hold", {}),
    )
    for offset, act, more in acts_before:
        decide(world, act, seen(world, *range(offset, MANY + 1, 8)), now=NOON + 42 * US, **more)
    send_texts(world, T0)
    heard(world, T0)
    with serve(world, now=T0) as served:
        yield served


def items(world: World) -> str:
    return ",".join(f"{one.reservation}:{one.revision}" for one in seen(world))


def batch_in(html: str) -> str:
    found = re.search(r'name="batch" value="(\d+)"', html)
    assert found is not None
    return found[1]


def texted(world: World, since: int, until: int, every_s: int = 2) -> list[str]:
    """What a gateway gets meanwhile, as the service sends."""
    sent: list[str] = []
    for now in range(since, until, every_s * US):
        with world.store.write() as connection:
            compose.hold_back(world.work(connection, now), ())
        sent += send_texts(world, now)
    return sent


def test_forty_that_are_undone_after_fourteen_seconds_are_as_they_were(world: World, console: Served) -> None:
    anna, before = Visitor(console), stands(world)
    assert {"waiting", "held"} == set(states(world))
    assert {row["severity"] > 0 for row in before["rows"]} == {True, False}
    told = anna.post("/act/cancel", items=items(world), why="mistake")
    assert "40 of 40 will be cancelled." in told.html
    assert states(world) == ["held"] * MANY
    sent = texted(world, T0, T0 + 14 * US)
    console.now = T0 + 14 * US
    assert world.claims(console.now) == []
    undone = anna.post("/undo", batch=batch_in(told.html))
    assert (undone.status, "Undone: 40 of 40." in undone.html) == (200, True)
    assert stands(world)["rows"] == before["rows"]
    assert stands(world)["promises"] == before["promises"]
    assert settle(world, T0 + 16 * US) == 0
    sent += texted(world, T0 + 14 * US, T0 + MINUTE, 15)
    assert sent == []
    assert [action for _, action in acts(world)][-MANY:] == ["undone"] * MANY
    assert stands(world)["rows"] == before["rows"]


def test_forty_are_cancelled_after_sixteen_seconds_and_undo_is_refused_in_words(world: World, console: Served) -> None:
    anna = Visitor(console)
    told = anna.post("/act/cancel", items=items(world), why="mistake")
    console.now = T0 + 16 * US
    settle(world, console.now)
    assert states(world) == ["cancelled"] * MANY
    late = anna.post("/undo", batch=batch_in(told.html))
    assert late.status == 409
    assert "This can be undone no more: 15 seconds have passed." in late.html
    assert states(world) == ["cancelled"] * MANY
    assert texted(world, T0, T0 + MINUTE, 15) == []


def test_times_that_are_chosen_for_forty_and_undone_were_told_to_nobody(world: World, console: Served) -> None:
    anna, before = Visitor(console), stands(world)
    told = anna.post("/act/slot", items=items(world), at="16:00")
    assert told.status == 200
    sent = texted(world, T0, T0 + 14 * US)
    console.now = T0 + 14 * US
    undone = anna.post("/undo", batch=batch_in(told.html))
    assert undone.status == 200
    assert stands(world)["rows"] == before["rows"]
    assert stands(world)["promises"] == before["promises"]
    sent += texted(world, T0 + 14 * US, T0 + 2 * MINUTE, 15)
    assert [body for body in sent if "16:00" in body] == []


def test_times_that_are_chosen_and_not_undone_are_told_after_that(world: World, console: Served) -> None:
    Visitor(console).post("/act/slot", items=items(world), at="16:00")
    assert texted(world, T0, T0 + 15 * US) == []
    assert len([body for body in texted(world, T0 + 15 * US, T0 + MINUTE, 15) if "16:00" in body]) == MANY
