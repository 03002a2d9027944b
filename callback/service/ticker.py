"""The ticks: what has to be looked at again and again. APScheduler only ticks; what is due stands in SQL.

APScheduler plans by the wall clock. Left alone (seen on 3.11.3), it stands still for as long as the clock was
set back, and counts up every tick it missed when the clock was set forward. Here a tick is always one interval
from now, and a clock set back makes every job run at once.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Job = Callable[[], Awaitable[None]]

WATCH_S = 1.0
SOONEST_S = 0.2
"""Between the beginnings of two runs that somebody asked for: whoever asks without end must not keep others from it."""

_log = logging.getLogger(__name__)


class Ticker:
    """Runs jobs every so many seconds in the running event loop, from its start to its stop.

    Each job runs first at the start. A tick that finds its job still running is left out. A job that raises
    is logged, and ticks on.
    """

    def __init__(self) -> None:
        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns of every tick that is left out
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._running: set[asyncio.Future[None]] = set()
        self._busy, self._again = set[str](), set[str]()  # jobs by name: which run, and which are to run once more
        self._began: dict[str, float] = {}  # when each ran last, of the loop's clock
        self._watch: asyncio.TimerHandle | None = None
        self._wall_ahead_s = 0.0

    def every(self, seconds: float, job: Job, name: str) -> None:
        """Run `job` every `seconds`; the log calls it `name`, and a second job of that name is refused."""

        async def tick() -> None:
            await self._run(job, name)
            if name in self._again:
                self.soon(name)

        self._scheduler.add_job(tick, _FromNow(seconds), id=name, name=name, next_run_time=datetime.now(UTC))

    def soon(self, name: str) -> None:
        """Let a job run now instead of at its turn, once more if it runs already. In the event loop."""
        self._again.discard(name)
        if name in self._busy:
            self._again.add(name)
        elif job := self._scheduler.get_job(name):
            rests_s = self._began.get(name, 0.0) + SOONEST_S - asyncio.get_running_loop().time()
            job.modify(next_run_time=datetime.now(UTC) + timedelta(seconds=max(0.0, rests_s)))

    def start(self) -> None:
        """Tick from now on."""
        self._scheduler.start()
        self._wall_ahead_s = self._measure()
        self._watch_clock()

    async def stop(self) -> None:
        """Begin no further tick, and return when those that run have ended."""
        if self._watch:
            self._watch.cancel()
        self._scheduler.pause()
        await asyncio.sleep(0)  # what was just handed to the loop begins, and is waited for
        if self._running:
            await asyncio.wait(self._running)
        self._scheduler.shutdown(wait=False)
        await asyncio.sleep(0)  # it shuts down in the loop's next round

    async def _run(self, job: Job, name: str) -> None:
        ended = asyncio.get_running_loop().create_future()
        self._running.add(ended)
        self._busy.add(name)
        self._began[name] = asyncio.get_running_loop().time()
        try:
            await job()
        except Exception:  # noqa: BLE001 - whatever it is, the next tick may do better
            _log.exception("the tick %r failed, and is tried again at its next turn", name)
        finally:
            self._running.discard(ended)
            self._busy.discard(name)
            ended.set_result(None)

    def _watch_clock(self) -> None:
        ahead_s = self._measure()
        if ahead_s < self._wall_ahead_s - WATCH_S:
            _log.warning("the clock was set back by %.1f s", self._wall_ahead_s - ahead_s)
            for job in self._scheduler.get_jobs():
                job.modify(next_run_time=datetime.now(UTC))
        self._wall_ahead_s = ahead_s
        self._watch = asyncio.get_running_loop().call_later(WATCH_S, self._watch_clock)

    def _measure(self) -> float:
        """Give how far the wall clock is ahead of the loop's, which never jumps."""
        return datetime.now(UTC).timestamp() - asyncio.get_running_loop().time()


class _FromNow(BaseTrigger):  # type: ignore[misc]  # APScheduler ships no types
    """One interval from now, whenever the last tick was."""

    def __init__(self, seconds: float) -> None:
        self._interval = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Say when to tick next."""
        del previous_fire_time
        return now + self._interval
