"""The parts of the service joined: on a PBX that the simulator plays, with a process that commits."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from callback.cluster.nodes import Who
from callback.cluster.roles import Role
from callback.errors import NotOurs
from callback.service.event_log import EventLog
from callback.service.narrator import Narrator
from callback.service.node.shared import Shared
from callback.service.watching.pulse import Pulse
from callback.service.worker import Turn, Worker
from callback.settings.cluster import Cluster
from callback.settings.sections import Database, PbxWiring
from callback.store import tables as t
from telephony.listening.journal import Journal
from telephony.simulator.server import CallbackPlay, Simulator
from tests.callback.service.jobs.parts import CALLBACK, PATIENCE_S, SUPPORT, lose, now_us, run
from tests.callback.world import World


class Programs(io.StringIO):
    """What is told to programs, from any thread; `written` is set at each piece."""

    def __init__(self) -> None:
        super().__init__()
        self._loop, self.written = asyncio.get_running_loop(), asyncio.Event()

    def write(self, piece: str) -> int:
        """Take a piece."""
        taken = super().write(piece)
        self._loop.call_soon_threadsafe(self.written.set)
        return taken


class Service:
    """A worker at work, and what it told."""

    def __init__(self, world: World, folder: Path, simulator: Simulator, redis: str) -> None:
        self._programs = Programs()
        self.stopped = asyncio.Event()
        username, secret = simulator.account
        wiring = PbxWiring(port=simulator.port, username=username, secret=secret, journal=folder)
        made = {"pbx": wiring, "database": Database(url=world.store.url), "cluster": Cluster(redis=redis)}
        self._journal = Journal(folder, max_bytes=1 << 20)
        self._log = EventLog(
            world.store, "main", Narrator(ZoneInfo("Asia/Tokyo"), io.StringIO(), self._programs), now_us
        )
        self._log.start()
        pulse = Pulse(Who("1", "here:1", Role.ALL, "main", "0"), now_us)
        parts = (world.store, Turn(self._journal, world.held), self._log)
        settings = world.settings.model_copy(update=made)
        self.worker = Worker(settings, *parts, now_us, self.stopped, pulse)
        self._shared = Shared(settings, world.store, self._log)
        self.worker.share(self._shared.join())

    @property
    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self._programs.getvalue().splitlines()]

    async def told(self, event: str) -> None:
        """Wait until it has told this."""
        async with asyncio.timeout(PATIENCE_S):
            while event not in self.events:
                self._programs.written.clear()
                await self._programs.written.wait()

    def close(self) -> None:
        self._shared.leave()
        self._log.close()
        self._journal.close()


@asynccontextmanager
async def service(
    world: World, folder: Path, simulator: Simulator, redis: str = ""
) -> AsyncIterator[tuple[Service, asyncio.Task[None]]]:
    made = Service(world, folder, simulator, redis)
    running = asyncio.create_task(made.worker.run())
    try:
        yield made, running
    finally:
        made.stopped.set()
        await asyncio.gather(running, return_exceptions=True)
        made.close()


def test_it_listens_places_what_is_owed_and_ends_when_it_is_asked_to(today: World, tmp_path: Path) -> None:
    lose(today, "09012345600")

    async def main() -> None:
        async with (
            Simulator(recordings=[SUPPORT], callback=CallbackPlay(CALLBACK)) as simulator,
            service(today, tmp_path, simulator) as (made, running),
        ):
            await made.told("dialling")
            made.stopped.set()
            await running
            assert made.events[0] == "started"
            assert "pbx-up" in made.events

    run(main())
    assert len(today.attempts()) == 1


def test_the_loss_of_the_lease_ends_it(today: World, tmp_path: Path) -> None:
    async def main() -> None:
        async with Simulator(recordings=[SUPPORT]) as simulator, service(today, tmp_path, simulator) as (made, running):
            await made.told("pbx-up")
            with today.store.write() as connection:
                connection.execute(update(t.lease).values(fence=t.lease.c.fence + 1, owner="another"))
            with pytest.raises(NotOurs):
                await running
            await made.told("lease-lost")

    run(main())


def test_a_pbx_that_lacks_a_queue_of_the_rules_is_told_of_with_the_remedy(today: World, tmp_path: Path) -> None:
    async def main() -> None:
        async with Simulator() as simulator, service(today, tmp_path, simulator) as (made, _):
            await made.told("unknown-queue")

    run(main())
