"""Whoever waits in a web process for what others commit looks as soon as it is rung, long before the next look."""

from __future__ import annotations

import asyncio

import pytest

from callback.decisions import actions
from callback.store.audit import By
from callback.store.engine import Store
from callback.web.api.bell import Bell
from callback.web.console.live import channels, watch
from lab import redis as lab_redis
from tests.callback.cluster.nodes import hearing
from tests.callback.web.console.live.hubs import Centre
from tests.callback.world import NOON, US, World, call

pytestmark = pytest.mark.redis

ANNA = By("Anna", "customer asked")
FOREVER = 3600.0
PATIENCE_S = 20.0


def hold(world: World) -> None:
    with world.store.write() as connection:
        actions.hold(world.work(connection, NOON + US), 1, ANNA)


def undone(world: World) -> None:
    with world.store.write() as connection:
        actions.hold(world.work(connection, NOON + US), 1, ANNA)
        raise ZeroDivisionError


def test_a_live_page_shows_at_once_what_another_process_committed(
    world: World, redis_server: lab_redis.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "POLL_S", FOREVER)
    for bound in ("SOONEST_S", "SHARE"):
        monkeypatch.setattr(channels, bound, 0.0)
    world.hear(call())

    async def read() -> None:
        with hearing(redis_server.url) as other, hearing(redis_server.url) as ours:
            async with Centre(world, doorbell=ours.bell).running() as centre:
                anna = centre.join()
                assert (await anna.next()).data["order"] == {"waiting": [1]}
                world.store.on_told = lambda: other.bell.ring("feed")
                await asyncio.to_thread(hold, world)
                assert (await anna.next()).data["order"] == {"held": [1]}
                anna.leave()

    asyncio.run(read())


def test_a_program_hears_at_once_what_another_process_committed(world: World, redis_server: lab_redis.Server) -> None:
    world.hear(call())

    async def read() -> None:
        with hearing(redis_server.url) as other, hearing(redis_server.url) as ours:
            bell = Bell(world.store, every_s=FOREVER, doorbell=ours.bell)
            await bell.wait(PATIENCE_S)  # where the feed ends now
            world.store.on_told = lambda: other.bell.ring("feed")
            waits = asyncio.create_task(bell.wait(FOREVER))
            await asyncio.sleep(0)  # it waits
            await asyncio.to_thread(hold, world)
            async with asyncio.timeout(PATIENCE_S):
                await waits

    asyncio.run(read())


def test_only_what_the_feed_tells_is_rung_and_only_once_it_is_committed(world: World) -> None:
    world.hear(call())
    other, rung = Store(world.store.url), list[int]()

    def look() -> None:
        with other.read() as connection:
            rung.append(
                connection.exec_driver_sql("SELECT count(*) FROM reservation WHERE state = 'held'").scalar_one()
            )

    world.store.on_told = look
    with world.store.read() as connection:
        connection.exec_driver_sql("SELECT 1")
    with world.store.write() as connection:
        connection.exec_driver_sql("UPDATE reservation SET severity = severity")
    with pytest.raises(ZeroDivisionError):
        undone(world)
    assert rung == []
    hold(world)
    assert rung == [1]
    other.close()
