"""What a job is, and how jobs run beside each other without harm."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Protocol

from callback.errors import NotOurs
from callback.logs.failing import Failing
from callback.service.ticker import Ticker


class Job(Protocol):
    """Work that is done every so many seconds; `name` is what the log calls it."""

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def every_s(self) -> float: ...  # noqa: D102

    async def run(self) -> None:
        """Do it once."""


class Jobs:
    """Runs jobs, each at its own pace. One that fails says so once, is tried again, and holds up no other."""

    def __init__(self, jobs: Sequence[Job], failing: Failing) -> None:
        self._jobs, self._failing = jobs, failing
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ticker = Ticker()

    def soon(self, *names: str) -> None:
        """Let these run at once, instead of at their next turn. From any thread, also when nothing runs."""
        if (loop := self._loop) is not None:
            for name in names:
                loop.call_soon_threadsafe(self._ticker.soon, name)

    async def run(self) -> None:
        """Run them until cancelled, and let those that run then finish; NotOurs as soon as one finds the lease lost."""
        loop, ticker = asyncio.get_running_loop(), self._ticker
        lost: asyncio.Future[None] = loop.create_future()
        for job in self._jobs:
            ticker.every(job.every_s, partial(self._once, job, lost), job.name)
        ticker.start()
        self._loop = loop
        try:
            await lost
        finally:
            self._loop = None
            await ticker.stop()

    async def _once(self, job: Job, lost: asyncio.Future[None]) -> None:
        try:
            await job.run()
        except NotOurs as error:
            if not lost.done():
                lost.set_exception(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next turn may do better
            self._failing.fails(job.name, error)
        else:
            self._failing.works(job.name)
