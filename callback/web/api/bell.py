"""Rings when something happened: one look at the end of the feed serves all who wait for it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Final

from starlette.concurrency import run_in_threadpool

from callback.errors import StoreError
from callback.store import feed
from callback.store.engine import Store

log = logging.getLogger(__name__)

EVERY_S: Final = 0.5


class Bell:
    """Looks at the end of the feed while somebody waits; it belongs to one event loop."""

    def __init__(self, store: Store, every_s: float = EVERY_S) -> None:
        self._store, self._every_s = store, every_s
        self._rung = asyncio.Event()
        self._waiting = 0
        self._looking: asyncio.Task[None] | None = None
        self._end: int | None = None
        self.ended = False

    async def wait(self, most_s: float) -> None:
        """Wait until something happened, the process ends, or so long."""
        if self.ended:
            return
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

    def _ring(self) -> None:
        self._rung.set()
        self._rung = asyncio.Event()

    async def _look(self) -> None:
        while self.awaited and not self.ended:
            try:
                end = await run_in_threadpool(self._read)
            except StoreError as error:
                log.warning("the feed could not be read: %s", error)
            else:
                if end != self._end:
                    self._end = end
                    self._ring()
            await asyncio.sleep(self._every_s)

    def _read(self) -> int:
        with self._store.read() as connection:
            return feed.end(connection)
