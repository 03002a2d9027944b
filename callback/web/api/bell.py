"""Rings when something happened: one look at the end of the feed serves all who wait for it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Final

from starlette.concurrency import run_in_threadpool

from callback.cluster.doorbell import SILENT, Doorbell
from callback.errors import StoreError
from callback.store import feed
from callback.store.engine import Store

log = logging.getLogger(__name__)

EVERY_S: Final = 0.5
REST_S: Final = 0.05
"""Between two looks, however often it is rung."""


class Bell:
    """Looks at the end of the feed while somebody waits, and at once when the doorbell rings.

    It belongs to one event loop.
    """

    def __init__(self, store: Store, every_s: float = EVERY_S, doorbell: Doorbell = SILENT) -> None:
        self._store, self._every_s = store, every_s
        self._rung = asyncio.Event()
        self._sooner = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting = 0
        self._looking: asyncio.Task[None] | None = None
        self._end: int | None = None
        self.ended = False
        doorbell.on("feed", self._look_sooner)

    async def wait(self, most_s: float) -> None:
        """Wait until something happened, the process ends, or so long."""
        if self.ended:
            return
        self._loop = asyncio.get_running_loop()
        rung, self._waiting = self._rung, self._waiting + 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(rung.wait(), most_s)
        finally:
            self._waiting -= 1

    @property
    def awaited(self) -> bool:
        """Whether somebody waits."""
        return self._waiting > 0

    def end(self) -> None:
        """Let everybody who waits go on: the process ends."""
        self.ended = True
        self._ring()

    def _look_sooner(self) -> None:
        """From any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._sooner.set)

    def _ring(self) -> None:
        self._rung.set()
        self._rung = asyncio.Event()

    async def _look(self) -> None:
        while self.awaited and not self.ended:
            self._sooner.clear()
            try:
                end = await run_in_threadpool(self._read)
            except StoreError as error:
                log.warning("the feed could not be read: %s", error)
            else:
                if end != self._end:
                    self._end = end
                    self._ring()
            await asyncio.sleep(min(REST_S, self._every_s))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._sooner.wait(), self._every_s - REST_S)

    def _read(self) -> int:
        with self._store.read() as connection:
            return feed.end(connection)
