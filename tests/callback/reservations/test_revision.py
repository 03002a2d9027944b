"""The revision of a reservation: whatever changes it raises that, so that nobody decides about what is no more."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

import callback
from callback.attempts import own_calls
from callback.decisions import actions
from callback.losses import incidents
from callback.reservations import deadlines, promises, switched_on
from callback.reservations.reservation import read_one
from callback.site.context import site_of
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By
from callback.texts import compose
from telephony.calls.facts.agent_call import AgentCall
from tests.callback.world import MINUTE, NOON, ON, US, World, at, call, picture, rules

ANNA = By("anna", "she asked")
FREE = picture(free={"support": {f"PJSIP/agent{n}" for n in range(9)}})
LATER = NOON + MINUTE
Writer = Callable[[World], object]


def writes(world: World, do: Callable[..., object], *about: Any, now: int = LATER, **more: Any) -> None:
    with world.store.write() as connection:
        do(world.work(connection, now), *about, **more)


def held(world: World) -> None:
    writes(world, actions.hold, 1, ANNA)


def in_an_incident(world: World) -> None:
    """Many callers of one cause: the first of them are held by what the last one began."""
    for n in range(1, 12):
        world.hear(call(f"090222200{n:02}", NOON + n * US), "blocked")


def let_go(world: World) -> None:
    writes(world, incidents.decide, 1, "released", ANNA)
    for minute in range(1, 5):
        writes(world, incidents.tend, now=NOON + minute * MINUTE)


def dropped(world: World) -> None:
    writes(world, incidents.decide, 1, "dropped", ANNA)
    writes(world, incidents.tend)


def calls_off(world: World) -> None:
    """Watched only, and left to people when calls are switched on."""
    off = rules(queues={"support": ON.model_copy(update={"texts": "watch", "calls": "watch"})})
    world.site = site_of(world.settings.model_copy(update={"rules": off}), world.site.version)
    world.hear(call("09033334444"))
    with world.store.write() as connection:
        body = off.model_dump(mode="json")
        connection.execute(t.shift_rules.update().values(body=body))
    world.site = site_of(world.settings, world.site.version)


RANG = AgentCall("own.1", "PJSIP/agent1-00000001", "PJSIP/trunk-00000009", "09012345678", NOON, LATER)


def nothing(_world: World) -> None:
    """What was heard is enough."""


WRITERS: dict[str, tuple[Writer, Writer]] = {
    "held": (nothing, held),
    "resumed": (held, lambda world: writes(world, actions.resume, 1, ANNA)),
    "cancelled": (nothing, lambda world: writes(world, actions.cancel, 1, ANNA)),
    "called now": (nothing, lambda world: writes(world, actions.call_now, 1, ANNA)),
    "a chosen time": (nothing, lambda world: writes(world, actions.choose_slot, 1, at("15:00"), ANNA)),
    "postponed": (nothing, lambda world: writes(world, actions.postpone, 1, at("15:00"), ANNA)),
    "assigned": (nothing, lambda world: writes(world, actions.assign, 1, "bert", ANNA)),
    "blocked": (nothing, lambda world: writes(world, actions.block, "+819012345678", calls=True, texts=True, by=ANNA)),
    "erased": (nothing, lambda world: writes(world, actions.erase, "+819012345678", ANNA)),
    "lost again": (nothing, lambda world: world.hear(call(ended_at=LATER))),
    "asked for a callback": (nothing, lambda world: world.hear(call(ended_at=LATER), "requested")),
    "served": (nothing, lambda world: world.hear(call(ended_at=LATER, talked_s=30), "served")),
    "claimed": (nothing, lambda world: world.claims(LATER, FREE)),
    "ended": (
        lambda world: world.claims(NOON, FREE),
        lambda world: [world.end(row.id, "busy", LATER) for row in world.attempts()],
    ),
    "no agent answered": (
        lambda world: world.claims(NOON, FREE),
        lambda world: [world.end(row.id, "agent-no-answer", LATER) for row in world.attempts()],
    ),
    "promise broken": (nothing, lambda world: world.carry_over(at("13:01"))),
    "promise broken at the cut": (nothing, lambda world: world.carry_over(at("21:31"))),
    "an apology that holds no more": (
        lambda world: world.carry_over(at("13:01")),
        lambda world: writes(world, promises.void_apology, 1),
    ),
    "taken in by an incident": (nothing, in_an_incident),
    "let go by an incident": (in_an_incident, let_go),
    "dropped by an incident": (in_an_incident, dropped),
    "held by us instead of an incident": (in_an_incident, held),
    "calls switched on": (calls_off, lambda world: writes(world, switched_on.begin)),
    "no text any more": (
        lambda world: writes(world, actions.block, "+819012345678", calls=False, texts=True, by=ANNA),
        lambda world: writes(world, compose.apologise, 1, at("14:00")),
    ),
    "an agent's own call": (nothing, lambda world: writes(world, own_calls.heard, RANG)),
}


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    made = World(migrated_url, rules(incident_losses=3))
    made.hear(call(), "blocked")
    yield made
    made.close()


@pytest.mark.parametrize("name", WRITERS)
def test_whatever_changes_a_reservation_raises_its_revision(world: World, name: str) -> None:
    before, change = WRITERS[name]
    before(world)
    stood = {row.id: row for row in world.reservations()}
    change(world)
    changed = [row for row in world.reservations() if row.id in stood and row != stood[row.id]]
    assert changed, "nothing was tried"
    assert all(row.revision > stood[row.id].revision for row in changed)


def test_many_that_are_claimed_at_once_are_each_raised_once(world: World) -> None:
    for n in range(2):
        world.hear(call(f"0902222000{n}"))
    before = {row.id: row.revision for row in world.reservations()}
    claimed = len(world.claims(LATER, FREE, 8))
    after = {row.id: row.revision for row in world.reservations()}
    assert claimed > 1
    assert sorted(after[row] - before[row] for row in after) == [0] * (len(after) - claimed) + [1] * claimed


def test_what_is_heard_again_changes_no_revision(world: World) -> None:
    lost = call("09022220000")
    world.hear(lost)
    before = world.reservations()
    world.hear(lost)
    assert world.reservations() == before


def test_a_reservation_that_is_read_says_its_revision(world: World) -> None:
    held(world)
    with world.store.read() as connection:
        row = read_one(connection, 1)
    assert row is not None
    assert row.revision == world.reservations()[0].revision == 2


def test_every_statement_that_changes_one_raises_it(world: World) -> None:
    """As the database gets it: in whatever writer, also of rows that this test did not think of."""
    statements: list[str] = []

    def executed(_c: Connection, _cursor: object, statement: str, *_more: object) -> None:
        if statement.startswith("UPDATE reservation "):
            statements.append(statement)

    event.listen(world.store.engine, "before_cursor_execute", executed)
    try:
        in_an_incident(world)
        let_go(world)
        world.claims(LATER, FREE)
        writes(world, deadlines.check, now=at("13:30"))
    finally:
        event.remove(world.store.engine, "before_cursor_execute", executed)
    assert len(statements) > 10
    assert [one for one in statements if "revision=reservation.revision + 1" not in one] == []


def test_no_statement_is_written_as_text() -> None:
    """The column's own rule raises the revision; a statement in words would pass by it."""
    folder = Path(callback.__file__).parent
    texts = {
        str(path.relative_to(folder)): node.value
        for path in folder.rglob("*.py")
        if "migrations" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if "update reservation" in " ".join(node.value.lower().split())
    }
    assert texts == {}


def test_the_audit_of_the_world_is_whole(world: World) -> None:
    held(world)
    with world.store.read() as connection:
        assert audit.broken_at(connection) is None
