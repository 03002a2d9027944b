"""Events come once and in order from a place on: asked for, waited for, and as a stream that ends with its token."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
import pytest

from callback.accounts import tokens
from callback.events import Expired, Returned
from callback.reports.programs import events as reading
from callback.settings.rules import QueueRules
from callback.store import tables as t
from callback.web.api.access import Caller
from callback.web.api.bell import Bell
from callback.web.api.routes import events
from scheduler.clock import SECOND
from tests.callback.accounts.people import change
from tests.callback.web.api.programs import V1, Office
from tests.callback.world import NOON, ON, World, call, rules


def test_events_are_read_on_page_by_page(office: Office) -> None:
    program = office.program()
    for last in range(3):
        program.register(f"+81901234567{last}")
    first = program.read("/events", after=0, limit=4).json()
    rest = program.read("/events", after=first["after"]).json()
    assert [one["type"] for one in first["items"] + rest["items"]] == ["reserved", "decided"] * 3
    ids = [one["id"] for one in first["items"] + rest["items"]]
    assert ids == sorted(set(ids))
    assert program.read("/events", after=rest["after"]).json() == {"items": [], "after": rest["after"]}
    assert program.read("/events").json() == {"items": [], "after": rest["after"]}


def test_a_place_behind_an_event_that_is_still_to_be_committed_is_waited_at(world: World) -> None:
    office = Office(world)
    postgresql = world.store.dialect == "postgresql"
    with world.store.write() as connection:
        work = world.work(connection, NOON)
        work.tell(Returned(1))
        work.tell(Returned(2))
        work.tell(Returned(3))
    with world.store.write() as connection:
        connection.execute(t.happened.delete().where(t.happened.c.id == 2))  # as if it were not committed yet
    with world.store.read() as connection:
        now = reading.page(world.work(connection, NOON + 30 * SECOND), 0)
        later = reading.page(world.work(connection, NOON + 61 * SECOND), 0)
    assert [one.id for one in now.events] == ([1] if postgresql else [1, 3])
    assert [one.id for one in later.events] == [1, 3]
    assert office.program().read("/events", after=0).status_code == 200


def client(office: Office, token: str) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(office.app)
    headers = {"Authorization": f"Bearer {token}"}
    return httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8090", headers=headers, timeout=60)


async def begun(office: Office) -> None:
    """Wait until somebody waits for what happens."""
    while not office.app.state.api.bell.awaited:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.01)


def tell(world: World) -> None:
    with world.store.write() as connection:
        world.work(connection, NOON).tell(Expired(7, "support", "tries"))


def test_whoever_waits_is_answered_when_something_happens(sqlite_office: Office) -> None:
    async def wait() -> Any:
        async with client(sqlite_office, sqlite_office.token()) as program:
            asked = asyncio.create_task(program.get(f"{V1}/events", params={"after": 0, "wait_s": 30}))
            await begun(sqlite_office)
            await asyncio.to_thread(tell, sqlite_office.world)
            return await asked

    said = asyncio.run(wait()).json()
    assert [one["type"] for one in said["items"]] == ["expired"]


def test_whoever_waits_is_answered_when_the_process_ends(sqlite_office: Office) -> None:
    async def wait() -> Any:
        async with client(sqlite_office, sqlite_office.token()) as program:
            asked = asyncio.create_task(program.get(f"{V1}/events", params={"after": 0, "wait_s": 30}))
            await begun(sqlite_office)
            sqlite_office.app.state.api.bell.end()
            return await asked

    assert asyncio.run(wait()).json() == {"items": [], "after": 0}


def test_a_stream_sends_events_and_ends_with_its_token(sqlite_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "BEAT_S", 0.01)
    token = sqlite_office.token()
    tell(sqlite_office.world)
    with sqlite_office.world.store.write() as connection:
        tokens.revoke(change(connection), 1)

    async def hear() -> str:
        caller = _caller(sqlite_office, token)
        return "".join([line async for line in events.lines(caller, 0)])

    said = asyncio.run(hear())
    sent = [json.loads(line.removeprefix("data: ")) for line in said.splitlines() if line.startswith("data: ")]
    assert [(one["type"], one["facts"]["reservation"]) for one in sent] == [("expired", 7)]
    assert "id: 1\nevent: expired\n" in said


def _caller(office: Office, said: str) -> Any:
    with office.world.store.read() as connection:
        token = tokens.of_id(connection, int(said.split("_")[1]))
    assert token is not None
    return Caller(office.app.state.api, token)


def test_a_token_of_some_groups_waits_for_nothing_while_there_is_more_of_others(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    queues = {"support": ON, "sales": QueueRules(**{**ON.model_dump(), "group": "sellers"})}
    office = Office(World(sqlite_world.store.url, rules(queues=queues)))
    office.world.hear(call("09012345678"))
    others = [row._asdict() for row in office.world.rows(t.happened)][:1]
    with office.world.store.write() as connection:
        connection.execute(
            t.happened.insert(), [others[0] | {"id": n} for n in range(100, 100 + reading.LOOKED_THROUGH)]
        )
    office.world.hear(call("09087654321", queue="sales"))

    async def ends(bell: Bell, _most_s: float) -> None:
        bell.end()

    monkeypatch.setattr(Bell, "wait", ends)
    token = office.token(groups=frozenset({"sellers"}))

    async def hear() -> str:
        return "".join([line async for line in events.lines(_caller(office, token), 0)])

    assert "event: reserved\n" in asyncio.run(hear())
    office.app.state.api.bell.ended = False
    read = office.program(token=token).read("/events", after=0, wait_s=30).json()
    assert "reserved" in [one["type"] for one in read["items"]]
