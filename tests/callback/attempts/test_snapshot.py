"""The picture of a PBX, as the next process finds it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import event, update

from callback.attempts import claim, snapshot
from callback.attempts.agent_states import Agent
from callback.attempts.snapshot import CallerWaiting, Live
from callback.reservations import reservation
from callback.store import tables as t
from tests.callback.attempts.test_lanes import plan, scans
from tests.callback.world import MINUTE, NOON, World, call, picture


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    made = World(migrated_url)
    yield made
    made.close()


@pytest.mark.parametrize("heard_at", [NOON, None])
def test_when_the_pbx_was_listened_to_is_not_when_the_picture_was_taken(world: World, heard_at: int | None) -> None:
    with world.store.write() as connection:
        snapshot.store(connection, "main", replace(picture(), heard_at=heard_at), NOON + MINUTE)
        seen = snapshot.recall(connection, "main")
    assert seen is not None
    assert (seen[0].heard_at, seen[1]) == (heard_at, NOON + MINUTE)


def test_a_picture_of_an_earlier_version_was_taken_while_somebody_listened(world: World) -> None:
    with world.store.write() as connection:
        snapshot.store(connection, "main", picture(), NOON)
        old = {key: value for key, value in picture().as_json().items() if key != "heard_at"}
        connection.execute(update(t.live_view).values(body=old))
        seen = snapshot.recall(connection, "main")
    assert seen is not None
    assert seen[0].heard_at == NOON


OWED, STRANGER = "+819012345678", "+819087654321"


def kept(world: World, live: Live) -> Live:
    """The picture as another process finds it."""
    with world.store.write() as connection:
        snapshot.store(connection, "main", live, NOON)
        seen = snapshot.recall(connection, "main")
    assert seen is not None
    return seen[0]


def test_who_is_on_the_line_is_kept_as_a_person_and_no_number_is(world: World) -> None:
    world.hear(call())
    (owed,) = world.reservations()
    live = picture(numbers={OWED, STRANGER})
    seen = kept(world, live)
    assert seen.persons == {owed.person_id}
    assert not seen.numbers
    (row,) = world.rows(t.live_view)
    assert not any(number.lstrip("+") in str(row.body) for number in (OWED, STRANGER, "9012345678"))


def test_a_reader_says_like_the_service_that_the_customer_is_on_the_line(world: World) -> None:
    world.hear(call())
    for live in (picture(numbers={OWED}), kept(world, picture(numbers={OWED}))):
        with world.store.read() as connection:
            work = world.work(connection, NOON + MINUTE)
            rows = reservation.read(connection, reservation.RESERVATIONS)
            why = claim.why_not(rows, claim.look(work, live), world.site, live, work.now)
        assert [word for word, _ in why.values()] == ["number-live"]


def test_a_person_to_whom_nothing_is_owed_any_more_is_not_kept(world: World) -> None:
    world.hear(call())
    with world.store.write() as connection:
        connection.execute(update(t.reservation).values(state="cancelled", open=False))
    assert kept(world, picture(numbers={OWED})).persons == frozenset()


def test_callers_who_wait_are_kept_by_queue_with_since_when_and_whether_a_call_is_owed(world: World) -> None:
    world.hear(call())
    waiting = (CallerWaiting(NOON - MINUTE, frozenset({OWED})), CallerWaiting(NOON, frozenset({STRANGER})))
    live = replace(picture(waiting={"support": 2}), callers={"support": waiting, "sales": (CallerWaiting(NOON),)})
    seen = kept(world, live)
    assert seen.callers == {
        "support": (CallerWaiting(NOON - MINUTE, owed=True), CallerWaiting(NOON, owed=False)),
        "sales": (CallerWaiting(NOON, owed=False),),
    }
    (owed,) = world.reservations()
    assert seen.persons == {owed.person_id}, "who waits is on the line"


def test_agents_are_kept_and_a_picture_of_an_earlier_version_tells_of_none(world: World) -> None:
    agents = (Agent("PJSIP/1004", "Mei", ("support", "sales"), "paused", NOON),)
    assert kept(world, replace(picture(), agents=agents)).agents == agents
    assert kept(world, replace(picture(), agents=())).agents == ()
    old = {key: value for key, value in picture().as_json().items() if key not in {"agents", "callers", "persons"}}
    with world.store.write() as connection:
        connection.execute(update(t.live_view).values(body=old))
        seen = snapshot.recall(connection, "main")
    assert seen is not None
    assert (seen[0].agents, seen[0].callers, seen[0].persons) == (None, {}, frozenset())


def test_a_person_of_whom_there_are_too_many_on_the_line_does_no_harm(world: World) -> None:
    many = {f"+8190{number:08}" for number in range(snapshot.ON_THE_LINE + 10)}
    assert kept(world, picture(numbers=many)).persons == frozenset()


def test_nothing_is_read_from_end_to_end(world: World) -> None:
    asked = []

    def note(_connection: object, _cursor: object, statement: str, values: object, *_: object) -> None:
        asked.append((statement, values))

    with world.store.write() as connection:
        event.listen(world.store.engine, "before_cursor_execute", note)
        snapshot.store(connection, "main", picture(numbers={OWED, STRANGER}), NOON)
        event.remove(world.store.engine, "before_cursor_execute", note)
        looked_up, *_ = asked
        assert "person" in looked_up[0]
        assert [line for line in plan(connection, *looked_up) if scans(line)] == []
