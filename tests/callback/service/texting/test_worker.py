"""What needs no PBX is done by whoever has the lease for it: on a database alone."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from callback.cluster import line
from callback.errors import NotOurs
from callback.service.event_log import EventLog
from callback.service.narrator import Narrator
from callback.service.node.shared import Shared
from callback.service.texting.worker import TextWorker
from callback.settings.cluster import Cluster
from callback.store import lease
from callback.store import tables as t
from callback.store.lease import Lease
from sms.console import ConsoleGateway
from tests.callback.service.jobs.parts import PATIENCE_S, lose, now_us, run
from tests.callback.world import World, fed


def text_lease(world: World, owner: str) -> Lease:
    with world.store.write() as connection:
        held = lease.acquire(connection, "text:main", owner, "host", 300, dead=lambda _: True)
    assert held is not None
    return held


@asynccontextmanager
async def texting(
    world: World, held: Lease, redis: str = ""
) -> AsyncIterator[tuple[io.StringIO, io.StringIO, asyncio.Task[None]]]:
    """A worker at work: what it sent, what it told, and its run."""
    phone, programs, stopped = io.StringIO(), io.StringIO(), asyncio.Event()
    log = EventLog(world.store, "main", Narrator(ZoneInfo("Asia/Tokyo"), io.StringIO(), programs), now_us)
    log.start()
    log.begin_beside()
    settings = world.settings.model_copy(update={"cluster": Cluster(redis=redis)})
    worker = TextWorker(settings, world.store, held, log, ConsoleGateway(phone), now_us, stopped)
    shared = Shared(settings, world.store, log)
    worker.share(shared.join())
    running = asyncio.create_task(worker.run())
    try:
        yield phone, programs, running
    finally:
        stopped.set()
        await asyncio.gather(running, return_exceptions=True)
        shared.leave()
        log.close()


async def until(world: World, phone: io.StringIO, number: str) -> None:
    """Wait until this number got a text, while somebody listens who sees nobody on the line."""
    async with asyncio.timeout(PATIENCE_S):
        while number not in phone.getvalue():
            with world.store.write() as connection:
                line.keep(connection, "main", (), None)
            await asyncio.sleep(0.05)


def test_it_sends_what_is_due_and_what_it_tells_is_kept_for_whoever_listens(today: World) -> None:
    lose(today, "09012345600")

    async def main() -> None:
        async with texting(today, text_lease(today, "one")) as (phone, programs, _):
            await until(today, phone, "+819012345600")
        assert [json.loads(told)["event"] for told in programs.getvalue().splitlines()].count("audit-head") == 1

    run(main())
    assert [one.name for one in fed(today.store)].count("audit-head") == 1


def test_who_lost_the_lease_ends_and_the_next_one_goes_on(today: World) -> None:
    lose(today, "09012345601")

    async def main() -> None:
        async with (
            texting(today, text_lease(today, "one")) as (_, _, first),
            texting(today, text_lease(today, "two")) as (phone, _, _),
        ):
            with pytest.raises(NotOurs):
                await asyncio.wait_for(first, PATIENCE_S)
            await until(today, phone, "+819012345601")

    run(main())


def test_who_loses_the_lease_to_listen_goes_on_sending(today: World) -> None:
    lose(today, "09012345602")

    async def main() -> None:
        async with texting(today, text_lease(today, "one")) as (phone, _, running):
            with today.store.write() as connection:
                listening = t.lease.c.name != "text:main"
                connection.execute(update(t.lease).where(listening).values(fence=t.lease.c.fence + 1))
            await until(today, phone, "+819012345602")
            assert not running.done()

    run(main())
