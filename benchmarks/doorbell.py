"""How much sooner other processes notice what one commits, where a Redis rings: pages, programs, and who dials.

A process commits something that the feed tells of, as the console does for a decision, at instants that nothing else
follows. It is counted from the commit to when the thread behind live pages has a frame for it, to when a program that
waits at the API is woken, and to when the job that places callbacks begins; without a Redis, and with one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection

from benchmarks.figures import load, rank
from callback.clock import now_us
from callback.cluster.wiring import joined
from callback.events import Event, Stopped
from callback.logs.failing import Failing
from callback.service.jobs.dispatch import Dispatch
from callback.service.jobs.job import Jobs
from callback.settings.cluster import Cluster
from callback.settings.rules import SiteRules
from callback.settings.sections import Database, PbxWiring, Settings, Trunk
from callback.site.context import Sites, take_over
from callback.site.work import Work
from callback.store import feed, keys, schema
from callback.store.engine import Store
from callback.web.api.bell import Bell
from callback.web.console.live import watch
from callback.web.console.live.live import Live
from callback.web.console.live.viewers import Visitor
from callback.web.console.live.views import Audience, Kind, Look, Rendered, View
from lab import postgres, redis

WHO: Final = ("page", "program", "dialler")
PATIENCE_S: Final = 10.0
BETWEEN_S: Final = (0.3, 1.3)
"""Between two commits, by chance: what is looked for by the clock must not be in step with them."""


@dataclass(slots=True)
class Noticed:
    """When each noticed the last commit; and how long it took each, ms, of all."""

    at: dict[str, float] = field(default_factory=dict)
    took_ms: dict[str, list[float]] = field(default_factory=lambda: {who: [] for who in WHO})
    all_did: asyncio.Event = field(default_factory=asyncio.Event)

    def by(self, who: str) -> None:
        """Somebody noticed; in the event loop."""
        self.at.setdefault(who, time.monotonic())
        if len(self.at) == len(WHO):
            self.all_did.set()


class _Newest(View):
    """A page that shows how far the feed goes."""

    def concerns(self, event: Event) -> bool:
        """All of it."""
        return bool(event.NAME)

    def render(self, look: Look) -> Rendered:
        """Give the end of the feed."""
        return Rendered({}, {}, {"end": str(feed.end(look.work.connection))})


class _Dials:
    """Stands for the job that places callbacks: it notes when it begins."""

    name, every_s = Dispatch.name, Dispatch.every_s

    def __init__(self, noticed: Noticed) -> None:
        self._noticed = noticed

    async def run(self) -> None:
        """Begin."""
        self._noticed.by("dialler")


def _settings(url: str, at: str) -> Settings:
    return Settings(
        database=Database(url=url),
        pbx=PbxWiring(username="bench", secret="bench"),  # noqa: S106 - of nobody
        trunks={"main": Trunk(region="GB")},
        cluster=Cluster(redis=at),
        rules=SiteRules(zone="UTC"),
    )


@asynccontextmanager
async def listening(settings: Settings, store: Store, noticed: Noticed) -> AsyncIterator[None]:
    """Be the other processes: what watches for pages, what programs wait for, and the jobs; in one for all three."""
    sites = Sites(settings)

    @contextmanager
    def snapshot() -> Iterator[Work]:
        with store.read() as connection:
            yield Work(connection, sites.at(connection, now_us()), now_us())

    async with AsyncExitStack() as stack:
        shared = stack.enter_context(joined(settings, store))
        kinds = {"newest": Kind(lambda _audience, _address: _Newest())}
        live = Live(store, snapshot, now_us, kinds, watch.nobody, shared.doorbell)
        bell, jobs = Bell(store, doorbell=shared.doorbell), Jobs([_Dials(noticed)], Failing(watch.log))
        shared.doorbell.on("decided", lambda: jobs.soon(Dispatch.name))
        live.start()
        stack.push_async_callback(asyncio.to_thread, live.stop)
        audience = Audience(frozenset({"supervisor"}), None, "en")
        viewer = live.hub.open(Visitor("anna", "s", "127.0.0.1", audience), ["/stream/newest"])
        reading = [asyncio.create_task(one) for one in (_frames(viewer.events(), noticed), _woken(bell, noticed))]
        reading.append(asyncio.create_task(jobs.run()))
        try:
            await asyncio.sleep(2)  # all have looked once, and hear
            yield
        finally:
            for one in reading:
                one.cancel()
            await asyncio.gather(*reading, return_exceptions=True)
            live.end()


async def _frames(events: AsyncIterator[bytes], noticed: Noticed) -> None:
    async for raw in events:
        if b"event:" not in raw:  # a frame has no name; beats have one
            noticed.by("page")


async def _woken(bell: Bell, noticed: Noticed) -> None:
    while True:
        began = time.monotonic()
        await bell.wait(PATIENCE_S)
        if time.monotonic() - began < PATIENCE_S * 0.9:
            noticed.by("program")


def _commit(store: Store) -> float:
    def tell(connection: Connection) -> None:
        feed.append(connection, "main", Stopped(), now_us(), now_us())

    store.transact(tell)
    return time.monotonic()


async def measured(url: str, at: str, times: int) -> dict[str, list[float]]:
    """Commit so many times, and give how long each took to notice."""
    settings, noticed, chance = _settings(url, at), Noticed(), random.Random(3)  # noqa: S311 - the same at each run
    with ExitStack() as stack:
        ours, theirs = (stack.enter_context(closing(Store(url))) for _ in range(2))
        schema.migrate(ours)
        keys.take_out(ours)
        with ours.write() as connection:
            take_over(connection, settings, now_us())
        ours.on_told = stack.enter_context(joined(settings, ours)).decided
        async with listening(settings, theirs, noticed):
            for _ in range(times):
                await asyncio.sleep(chance.uniform(*BETWEEN_S))
                noticed.at.clear()
                noticed.all_did.clear()
                committed = await asyncio.to_thread(_commit, ours)
                with suppress(TimeoutError):
                    await asyncio.wait_for(noticed.all_did.wait(), PATIENCE_S)
                for who in WHO:
                    noticed.took_ms[who].append((noticed.at.get(who, committed + PATIENCE_S) - committed) * 1000)
    return noticed.took_ms


def main(arguments: list[str] | None = None) -> int:
    """Measure, print a table and, last, one line of JSON; give the exit status."""
    options = _options(arguments)
    figures: dict[str, float] = {}
    shown = Table("database", "Redis", *(f"{who}: p50, p95 ms" for who in WHO), title="From the commit to who waits")
    with ExitStack() as stack:
        at = stack.enter_context(redis.serve(redis.find())).url
        for database, url in _databases(options.databases, stack):
            for named, place in (("without", ""), ("with", at)):
                took = asyncio.run(measured(url, place, options.times))
                ranks = {who: (rank(took[who], 0.5), rank(took[who], 0.95)) for who in WHO}
                shown.add_row(database, named, *(f"{p50:.1f}, {p95:.1f}" for p50, p95 in ranks.values()))
                for who, (p50, p95) in ranks.items():
                    figures[f"{who}_p50_ms_{named}_{database}"] = round(p50, 1)
                    figures[f"{who}_p95_ms_{named}_{database}"] = round(p95, 1)
    Console(file=sys.stdout, width=110).print(shown, f"each {options.times} commits; {load()}")
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0


def _databases(names: Sequence[str], stack: ExitStack) -> Iterator[tuple[str, str]]:
    for name in names:
        if name == "sqlite":
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            yield name, f"sqlite:///{folder / 'bench.db'}"
        else:
            yield name, stack.enter_context(postgres.serve(postgres.find(), durable=True)).create("bench")


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench BENCH=doorbell", description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=40, help="commits, of each way")
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"], choices=["sqlite", "postgresql"])
    return parser.parse_args(arguments)
