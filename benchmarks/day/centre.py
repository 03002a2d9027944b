"""A call centre of some PBXs in a process of its own: a day's calls, fast; callbacks that are placed; texts taken.

Each PBX is a simulator: it answers what the service asks, and plays a recorded callback for each that is placed, by an
agent who is free then. A customer's call comes in one go when it is over, as a PBX tells of it that filters as we ship:
its times say how long it was. So a day passes in minutes, while each call, text and callback takes its whole way.
"""

from __future__ import annotations

import asyncio
import gzip
import itertools
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from aiohttp import web

from benchmarks.peers import ACCOUNT
from benchmarks.streams import STREAMS, Serials, Template
from telephony.ami.protocol import Message
from telephony.simulator.eventfilter import EventFilter
from telephony.simulator.recording import Recording
from telephony.simulator.server import Simulator

SERVED: Final = STREAMS / "01-normal-caller-hangs-up.ami.gz"
LOST: Final = STREAMS / "03a-abandon-ringing.ami.gz"
CALLBACK: Final = STREAMS / "callbacks" / "reached.ami.gz"
AGENT: Final = b"agent1"
SPEED: Final = 20.0
"""So many times faster than it was a callback is played."""
PATIENCE_S: Final = 600.0
TICK_S: Final = 0.005


@dataclass(frozen=True, slots=True)
class Day:
    """So many calls over all PBXs, of which each so-manieth is lost, in so long."""

    calls: int
    lost_every: int
    lasts_s: float


@dataclass(slots=True)
class Held:
    """What the centre has seen so far: its own record, not the service's."""

    calls: int = 0
    lost: int = 0
    events: int = 0
    late_s: float = 0.0
    placed: Counter[str] = field(default_factory=Counter)  # by attempt
    texted: Counter[str] = field(default_factory=Counter)  # by number


class OnePbx(Simulator):
    """One PBX with agents of its own."""

    def __init__(self, agents: Sequence[Path], held: Held) -> None:
        super().__init__(account=ACCOUNT, recordings=agents, write_timeout_s=PATIENCE_S)
        self.callback = Recording.load(agents[0])  # that there is one
        self._speed = SPEED
        self._free = [Recording.load(path) for path in agents]
        self._held, self._wait = held, asyncio.Semaphore(len(agents))

    def originate(self, action: Message, attempt: str) -> None:
        """Let an agent who is free call back."""
        self._held.placed[attempt] += 1
        play = asyncio.create_task(self._call_back(action, attempt))
        self._plays.add(play)
        play.add_done_callback(self._plays.discard)

    async def _call_back(self, action: Message, attempt: str) -> None:
        async with self._wait:
            recording = self._free.pop(0)
            try:
                await self.play_callback(recording, action, attempt)
            finally:
                self._free.append(recording)


class Centre:
    """All PBXs and the gateway; a day is lived when it is asked for."""

    def __init__(self) -> None:
        self.held = Held()
        self._passes = EventFilter.load().passes
        self._served, self._lost = Template(SERVED), Template(LOST)
        self._pbxs: list[OnePbx] = []
        self._serials = Serials()

    async def begin(self, stack: AsyncExitStack, pbxs: int, agents: int) -> tuple[list[int], int]:
        """Serve so many PBXs and a gateway; give their ports."""
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        paths = list(_agents(folder, agents))
        for _ in range(pbxs):
            self._pbxs.append(await stack.enter_async_context(OnePbx(paths, self.held)))
        app = web.Application()
        app.router.add_post("/send", self._take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return [one.port for one in self._pbxs], int(runner.addresses[0][1])

    async def live(self, day: Day) -> None:
        """Let the calls of a day come in, evenly, each PBX in its turn."""
        for pbx in self._pbxs:
            await pbx.somebody()
        began = time.monotonic()
        for number in range(day.calls):
            late_s = time.monotonic() - began - number * day.lasts_s / day.calls
            if late_s < -TICK_S:
                await asyncio.sleep(-late_s)
            self.held.late_s = max(self.held.late_s, late_s)
            is_lost = number % day.lost_every == day.lost_every - 1
            play = (self._lost if is_lost else self._served).play(self._serials, time.time())
            events = [raw for raw in play.events if self._passes(raw)]
            await self._pbxs[number % len(self._pbxs)].send(*events)
            self.held.calls, self.held.lost = self.held.calls + 1, self.held.lost + is_lost
            self.held.events += len(events)

    async def _take(self, request: web.Request) -> web.Response:
        self.held.texted[(await request.text()).partition(" ")[0]] += 1
        return web.Response(text="taken")


def _agents(folder: Path, agents: int) -> Iterator[Path]:
    """Write the callback's recording once for each agent, in the agent's own name."""
    raw = gzip.decompress(CALLBACK.read_bytes())
    for number in range(agents):
        path = folder / f"agent{number}.ami"
        path.write_bytes(raw.replace(AGENT, b"agent%03d" % (number + 100)))
        yield path


async def _work(orders: Connection, pbxs: int, agents: int) -> None:
    async with AsyncExitStack() as stack:
        centre = Centre()
        orders.send(await centre.begin(stack, pbxs, agents))
        living: asyncio.Task[None] | None = None
        for _ in itertools.count():
            order = await asyncio.to_thread(orders.recv)
            if order is None:
                return
            if isinstance(order, Day):
                living = asyncio.create_task(centre.live(order))
            if living is not None and living.done():
                living.result()
            orders.send((living is not None and living.done(), centre.held))


def run(orders: Connection, pbxs: int, agents: int) -> None:
    """Be the process: serve, then live the day that is asked for; any other word asks how far it is."""
    asyncio.run(_work(orders, pbxs, agents))
