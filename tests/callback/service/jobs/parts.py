"""What jobs are made of: a PBX that the simulator plays, a writer, transactions and pictures, on a test's database.

The simulator and databases know no time but the real one, so that these worlds live now.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from callback.attempts.load import Traffic
from callback.attempts.snapshot import Live
from callback.events import Event
from callback.service.committer import Committer
from callback.service.snapshots import Snapshots
from callback.service.transactions import Transactions
from callback.settings.rules import QueueRules, SiteRules
from telephony.ami.protocol import Message
from telephony.listening.journal import Journal
from telephony.pbx import Consumer, Pbx, Wiring
from telephony.simulator.server import Simulator
from tests.callback.world import MINUTE, ON, World, call, fed, fed_so_far
from tests.live.service import noon_zone, quiet_hour

PATIENCE_S: Final = 30
STREAMS: Final = Path(__file__).parents[3] / "streams"
SUPPORT: Final = STREAMS / "01-normal-caller-hangs-up.ami.gz"
"""One agent, in the queue support."""
CALLBACK: Final = STREAMS / "11a-agent-first-success.ami.gz"
WAITS: Final = STREAMS / "13a1-before-connection-loss.ami.gz"
"""Callers who are still there when it ends."""
WAITS_AS: Final = b"09000000001"


def now_us() -> int:
    """The time, which `callback.clock` does not tell in tests."""
    return time.time_ns() // 1000


def rules(queues: dict[str, QueueRules] | None = None, **changes: Any) -> SiteRules:
    """Rules of a site where it is about noon, by which customers may be called whatever the time in Japan is."""
    values = {
        "zone": noon_zone(),
        **quiet_hour(),
        "queues": queues or {"support": ON},
    }
    return SiteRules(**{**values, **changes})


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a test in a loop."""
    asyncio.run(asyncio.wait_for(main, PATIENCE_S))


@dataclass(frozen=True, slots=True)
class Parts:
    """What jobs take; `own` is what they told beside their transactions."""

    world: World
    since: int
    pbx: Pbx
    writer: Committer
    traffic: Traffic
    transactions: Transactions
    snapshots: Snapshots
    own: list[Event]

    @property
    def events(self) -> list[str]:
        """What happened since, in the feed and beside it."""
        return [happened.name for happened in fed(self.world.store, self.since)] + [event.NAME for event in self.own]

    async def shows(self, number: str) -> Live:
        """Wait until this number is on the line, and give the picture."""
        while True:
            live = await self.snapshots.take()
            if number in live.numbers:
                return live
            await asyncio.sleep(0.01)


@asynccontextmanager
async def parts(
    world: World, folder: Path, simulator: Simulator | None, *, clock_off_us: int = 0
) -> AsyncIterator[Parts]:
    """Listen to the simulator; without one the PBX cannot be reached. Our clock may be off that of the database."""

    def now() -> int:
        return now_us() + clock_off_us

    up, since = asyncio.Event(), fed_so_far(world.store)
    journal = Journal(folder / "journal", max_bytes=1 << 20)
    writer = Committer(world.store, world.sites, world.held, "j1", now, lambda _: None)
    pbx = Pbx(
        Wiring("main", "127.0.0.1", simulator.port if simulator else 1, "lab", "lab", trunks=("PJSIP/trunk",)),
        journal,
        lambda: world.site.rules.reached_after_s,
        Consumer(writer.put, lambda state, _why: up.set() if state == "up" else None),
    )
    traffic = Traffic(now())
    beside = [asyncio.ensure_future(one) for one in (writer.run(), *([pbx.run()] if simulator else []))]
    try:
        if simulator:
            await up.wait()
        yield Parts(
            world,
            since,
            pbx,
            writer,
            traffic,
            Transactions(world.store, world.sites, world.held, now, lambda: None),
            Snapshots(pbx, writer, world.store, world.sites, traffic, now),
            [],
        )
    finally:
        for one in beside:
            one.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        journal.close()


def lose(world: World, *numbers: str, minutes_ago: int = 5) -> None:
    """Let callers give up in the queue support."""
    for number in numbers:
        world.hear(call(number, now_us() - minutes_ago * MINUTE))


def actions(simulator: Simulator, name: str) -> list[Message]:
    """What the simulator was asked by that name."""
    return [action for action in simulator.actions if action.get("Action") == name]
