"""What is measured: the service from the socket to the committed verdict, in a process of its own.

One `Pbx` and one `Committer` for each connection, joined as the service joins them, all on one store. What the service
does beside listening (dialling, texting, tending) is not done here.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from array import array
from collections.abc import Coroutine, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select

from benchmarks.errors import BenchmarkError
from benchmarks.figures import cpu_s, tree_rss_mb
from benchmarks.peers import ACCOUNT, WAIT_S
from benchmarks.sender import RING
from benchmarks.streams import TRUNKS
from callback.clock import now_us
from callback.events import CommitterDied
from callback.garbage import gc_seldom
from callback.service.commit_process import CommitProcess, Task
from callback.service.committer import Committer
from callback.settings.rules import SiteRules
from callback.settings.sections import Database, PbxWiring, Settings, Trunk
from callback.site.context import Sites, take_over
from callback.store import checkpoints, lease, schema
from callback.store import tables as t
from callback.store.engine import Store
from telephony.calls.tracker import GRACE_S
from telephony.listening.journal import Journal
from telephony.pbx import Consumer, Pbx, Stretch, Wiring

DAY: Final = 86_400_000_000
JOURNAL_BYTES: Final = 512 << 20
FIRST_S: Final = 60.0
"""Memory is looked at first when it ran for so long, or less long at the end of a shorter run."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to listen to: so many connections to this port; the first seconds of it are not measured."""

    port: int
    connections: int = 1
    database: str = ""
    folder: Path = Path()
    name: str = "pbx"  # of each, with its number


@dataclass(frozen=True, slots=True)
class Listened:
    """What listening came to. Instants are ns of the monotonic clock, latencies ms."""

    ended_at: int
    idle_s: float  # of the time until then, waiting for graces to pass when nothing was left to do
    ear_cpu_s: float
    commit_cpu_s: float
    latencies_ms: array[float]
    committed_at: array[int]
    verdicts: int  # in the store
    calls: int  # in the store, that have a verdict
    told: int  # that a verdict was told of
    rss_mb: float
    rss_mb_first: float


class Ears:
    """Everything that listens, and the count of what was committed."""

    def __init__(self, plan: Plan, ended_at: Sequence[int], stack: ExitStack) -> None:
        self._ended_at = ended_at
        self.latencies_ms, self.committed_at = array("f"), array("q")
        self.told = self.last_at = 0
        self._up = 0
        self.all_up = asyncio.Event()
        self._connections = plan.connections
        self.store = stack.enter_context(closing(Store(plan.database)))
        schema.migrate(self.store)
        self._tasks: list[Task] = []
        self.commit_process = CommitProcess(self._tasks, self._died)
        self.pbxs: list[Pbx] = []
        self._writers: list[Committer] = []
        for number in range(plan.connections):
            self._join(f"{plan.name}-{number + 1:02d}", plan, stack)

    def _join(self, name: str, plan: Plan, stack: ExitStack) -> None:
        """Join the parts for one PBX, as the service does."""
        settings = Settings(
            database=Database(url=plan.database),
            pbx=PbxWiring(name=name, port=plan.port, username=ACCOUNT[0], secret=ACCOUNT[1]),
            trunks={"main": Trunk(channel=TRUNKS[0], region="JP", form="national")},
            rules=SiteRules(zone="UTC"),
        )
        journal = stack.enter_context(closing(Journal(plan.folder / name, max_bytes=JOURNAL_BYTES)))
        now = now_us()
        with self.store.write() as connection:
            held = lease.acquire(connection, f"pbx:{name}", "bench", socket.gethostname(), 86_400)
            take_over(connection, settings, now)
            sites = Sites(settings)
            reached_after_s = sites.at(connection, now).rules.reached_after_s
            journal_id, offset = checkpoints.begin(connection, name, journal.id, now - DAY)
        if held is None:
            raise BenchmarkError(f"the lease of {name} is taken: give the benchmark a database of its own")
        journal.resume(journal_id, offset)
        self._tasks.append(Task(settings, held, journal.id))
        task = len(self._tasks) - 1
        parts = (self.store, sites, held, journal.id, now_us, journal.forget_before)
        writer = Committer(*parts, elsewhere=lambda batch: self._commit(writer, batch, task))
        pbx = Pbx(
            Wiring(name, "127.0.0.1", plan.port, *ACCOUNT, trunks=TRUNKS),
            journal,
            lambda: reached_after_s,
            Consumer(writer.put, self._on_state, lambda: writer.room),
        )
        self._writers.append(writer)
        self.pbxs.append(pbx)

    async def run(self) -> None:
        """Listen and write until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.commit_process.run())
            for writer, pbx in zip(self._writers, self.pbxs, strict=True):
                tasks.create_task(writer.run())
                tasks.create_task(pbx.run())

    def _on_state(self, state: str, why: str) -> None:
        if state == "up":
            self._up += 1
            if self._up == self._connections:
                self.all_up.set()
        elif state != "refused":
            raise BenchmarkError(f"a connection is {state}: {why}")

    def _died(self, event: CommitterDied) -> None:
        raise BenchmarkError(event.why)

    async def _commit(self, writer: Committer, batch: list[Stretch], task: int) -> None:
        """Commit as the service does, and note when the calls of a batch were committed."""
        await (self.commit_process.commit(batch, task) or asyncio.to_thread(writer.commit, batch))
        now = time.monotonic_ns()
        for call, verdict in (judged for stretch in batch for judged in stretch.calls):
            if verdict.kind == "callback" or not (call.queue or call.visits):
                continue  # a leg of our own, or a call to no queue: nothing is kept of it
            serial = int(call.call_id.rpartition(".")[2])
            self.told += 1
            self.last_at = now
            self.latencies_ms.append((now - self._ended_at[serial % RING]) / 1e6 - GRACE_S * 1e3)
            self.committed_at.append(now)

    def heard(self) -> int:
        """Give how many messages were read and digested."""
        stats = [pbx.stats for pbx in self.pbxs]
        behind = any(one.held_bytes for one in stats) or not all(pbx.is_level for pbx in self.pbxs)
        return 0 if behind else sum(one.messages for one in stats)

    def cpu_s(self) -> tuple[float, float]:
        """Give the CPU seconds used so far, here and where it is committed."""
        return time.process_time(), cpu_s(self.commit_process.pid) if self.commit_process.pid else 0.0

    def rss_mb(self) -> float:
        """Give the memory used, here and where it is committed."""
        return tree_rss_mb(os.getpid())

    @property
    def busy(self) -> bool:
        """Tell whether a call is not over yet."""
        return any(pbx.tracker.oldest_offset() is not None for pbx in self.pbxs)

    async def caught_up(self) -> None:
        """Wait until all that was heard is committed: also what should not have come."""
        for writer in self._writers:
            await writer.caught_up()

    def filed(self) -> tuple[int, int]:
        """Give how many verdicts stand in the store, and on how many calls."""
        verdict = t.verdict.c
        ours = verdict.pbx.in_([task.settings.pbx.name for task in self._tasks])
        with self.store.read() as connection:
            rows = connection.execute(select(verdict.call_id, func.count()).where(ours).group_by(verdict.call_id)).all()
        return sum(count for _, count in rows), len(rows)


async def _listen(line: Connection, plan: Plan, ended_at: Sequence[int]) -> None:
    with ExitStack() as stack:
        ears = Ears(plan, ended_at, stack)
        running = asyncio.create_task(ears.run())
        asked = asyncio.create_task(asyncio.to_thread(line.recv))
        try:
            await _first(ears.commit_process.at_work.wait(), running)
            await _first(ears.all_up.wait(), running)
            line.send("ready")
            began_at = time.monotonic()
            used_s, first, watching = ears.cpu_s(), 0.0, _Tail(ears)
            before = ears.heard()
            while not asked.done():
                await _first(asyncio.sleep(0.05), running)
                if time.monotonic() - began_at < FIRST_S:
                    first = ears.rss_mb()
            offered, told_at = asked.result(), time.monotonic()
            while (ears.told < offered.calls or ears.busy) and time.monotonic() - told_at < WAIT_S:
                await _first(asyncio.sleep(0.005), running)
                if ears.told < offered.calls:
                    watching.look(offered.events + before)
            await ears.caught_up()
            line.send(_listened(ears, watching, used_s, first))
        finally:
            running.cancel()
            await asyncio.wait([running])


class _Tail:
    """The time after the last event was digested: what of it was waited away, because graces had to pass."""

    def __init__(self, ears: Ears) -> None:
        self._ears = ears
        self._began: tuple[float, float] | None = None
        self.idle_s = 0.0

    def look(self, messages: int) -> None:
        """See how far it is."""
        now = (time.monotonic(), sum(self._ears.cpu_s()))
        if self._began is None:
            if self._ears.heard() >= messages:
                self._began = now
        else:
            self.idle_s = max(0.0, now[0] - self._began[0] - (now[1] - self._began[1]))


def _listened(ears: Ears, tail: _Tail, used_s: tuple[float, float], first: float) -> Listened:
    ear_s, commit_s = ears.cpu_s()
    verdicts, calls = ears.filed()
    return Listened(
        ended_at=ears.last_at,
        idle_s=tail.idle_s,
        ear_cpu_s=ear_s - used_s[0],
        commit_cpu_s=commit_s - used_s[1],
        latencies_ms=ears.latencies_ms,
        committed_at=ears.committed_at,
        verdicts=verdicts,
        calls=calls,
        told=ears.told,
        rss_mb=ears.rss_mb(),
        rss_mb_first=first,
    )


async def _first(waiting: Coroutine[Any, Any, object], running: asyncio.Task[None]) -> None:
    """Wait for something, unless what runs beside it fails first."""
    task = asyncio.create_task(waiting)
    await asyncio.wait([task, running], return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        task.cancel()
        await running


def run(line: Connection, plan: Plan, ended_at: Sequence[int]) -> None:
    """Be the process: listen, say when all is up, and tell what came of it once told how much to expect."""
    gc_seldom()
    asyncio.run(_listen(line, plan, ended_at))
