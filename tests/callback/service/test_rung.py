"""The service with a Redis: it acts at once on what others decide, and does all it does whatever Redis suffers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from callback.cluster import line
from callback.cluster.wiring import joined
from callback.decisions import actions
from callback.service.jobs.dispatch import Dispatch
from callback.service.texting.jobs import SendTexts
from callback.settings.cluster import Cluster
from callback.store.audit import By
from callback.store.engine import Store
from lab import redis as lab_redis
from telephony.simulator.server import CallbackPlay, Simulator
from tests.callback.cluster.nodes import until
from tests.callback.service.jobs.parts import CALLBACK, SUPPORT, lose, now_us, run
from tests.callback.service.test_worker import service
from tests.callback.service.texting.test_worker import text_lease, texting
from tests.callback.world import World

pytestmark = pytest.mark.redis

ANNA = By("Anna", "customer asked")
FOREVER_S = 3600.0


@contextmanager
def console(world: World, redis: str) -> Iterator[tuple[Store, list[int]]]:
    """The database as a console's process has it, which rings; and a count of how often that was rung."""
    store, heard = Store(world.store.url), list[int]()
    with joined(world.settings.model_copy(update={"cluster": Cluster(redis=redis)}), store) as cluster:
        store.on_told = cluster.decided
        cluster.doorbell.on("feed", lambda: heard.append(1))
        yield store, heard
    store.close()


async def all_hear(server: lab_redis.Server, processes: int) -> None:
    """Wait until so many processes have subscribed."""

    def heard() -> bool:
        with server.client() as client:
            return [count for _, count in client.pubsub_numsub(*client.pubsub_channels())] == [processes]

    await asyncio.to_thread(until, heard)


def decide(world: World, store: Store, action: str) -> None:
    with store.write() as connection:
        getattr(actions, action)(world.work(connection, now_us()), 1, ANNA)


def test_what_another_process_decides_is_dialled_at_once(
    today: World, tmp_path: Path, redis_server: lab_redis.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Dispatch, "every_s", FOREVER_S)
    lose(today, "09012345600")
    decide(today, today.store, "hold")

    async def main() -> None:
        url = redis_server.url
        with console(today, url) as (store, _):
            async with (
                Simulator(recordings=[SUPPORT], callback=CallbackPlay(CALLBACK)) as simulator,
                service(today, tmp_path, simulator, url) as (made, _),
            ):
                await made.told("pbx-up")
                await all_hear(redis_server, 2)
                await asyncio.to_thread(decide, today, store, "resume")
                await made.told("dialling")

    run(main())
    assert len(today.attempts()) == 1


def test_what_is_committed_here_is_rung(today: World, tmp_path: Path, redis_server: lab_redis.Server) -> None:
    async def main() -> None:
        url = redis_server.url
        with console(today, url) as (_, heard):
            async with (
                Simulator(recordings=[SUPPORT]) as simulator,
                service(today, tmp_path, simulator, url) as (made, _),
            ):
                await made.told("pbx-up")
                await all_hear(redis_server, 2)
                await asyncio.sleep(0.3)  # what was told at the start has been rung
                heard.clear()
                await simulator.play(SUPPORT, speed=1000.0)  # committed by whichever process commits
                await asyncio.to_thread(until, lambda: bool(heard))

    run(main())


def test_a_text_that_another_process_decides_about_leaves_at_once(
    today: World, redis_server: lab_redis.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SendTexts, "every_s", FOREVER_S)
    monkeypatch.setattr(line, "FRESH_S", FOREVER_S)
    with today.store.write() as connection:
        line.keep(connection, "main", (), None)

    async def main() -> None:
        url = redis_server.url
        with console(today, url) as (store, _):
            async with texting(today, text_lease(today, "one"), url) as (phone, _, _):
                await all_hear(redis_server, 2)
                lose(today, "09012345600")  # its text is due
                await asyncio.to_thread(decide, today, store, "call_now")
                await asyncio.to_thread(until, lambda: "+819012345600" in phone.getvalue())

    run(main())


@pytest.mark.parametrize("trouble", ["killed", "frozen"])
def test_while_redis_is_away_all_is_done_and_that_is_told_once(
    today: World, tmp_path: Path, redis_server: lab_redis.Server, trouble: str
) -> None:
    lose(today, "09012345600")
    is_killed = trouble == "killed"
    begin, end = (redis_server.kill, redis_server.start) if is_killed else (redis_server.freeze, redis_server.thaw)

    async def main() -> None:
        begin()
        async with (
            Simulator(recordings=[SUPPORT], callback=CallbackPlay(CALLBACK)) as simulator,
            service(today, tmp_path, simulator, redis_server.url) as (made, _),
        ):
            await made.told("dialling")
            await made.told("redis-away")
            end()
            await made.told("redis-back")
            assert made.events.count("redis-away") == 1

    run(main())
    assert len(today.attempts()) == 1
