"""Lets the other processes of the site, and people, know that this one lives, and what it does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from callback.clock import CLOCK_MAY_BE_OFF_S
from callback.cluster import nodes
from callback.cluster.nodes import Who
from callback.errors import StoreError
from callback.logs.failing import Failing
from callback.store.engine import Store
from scheduler.clock import SECOND

log = logging.getLogger(__name__)


class Presence:
    """Writes every few seconds that this process lives, until it is cancelled; nothing depends on it."""

    def __init__(self, store: Store, who: Who, now: Callable[[], int]) -> None:
        self._store, self._who, self._now = store, who, now
        self._duties: dict[str, str] = {}
        self._news = asyncio.Event()
        self._failing = Failing(log)

    def does(self, duty: str, words: str) -> None:
        """Say what it does about a duty, or why it does not."""
        if self._duties.get(duty) != words:
            self._duties[duty] = words
            self._news.set()

    async def run(self) -> None:
        """Do it until cancelled; who ends so is forgotten at once, and who is killed after a day."""
        try:
            while True:
                self._news.clear()
                self._failing.tried("tell that this process lives", await asyncio.to_thread(self._write))
                try:
                    await asyncio.wait_for(self._news.wait(), nodes.SEEN_EVERY_S)
                except TimeoutError:
                    continue
        finally:
            await asyncio.to_thread(self._leave)

    def _write(self) -> Exception | None:
        try:
            with self._store.write() as connection:
                off = nodes.seen(connection, self._who, list(self._duties.values()), self._now())
        except StoreError as error:
            return error
        self._failing.tried("this machine's clock", _off(off))
        return None

    def _leave(self) -> None:
        try:
            with self._store.write() as connection:
                nodes.left(connection, self._who)
        except StoreError as error:
            log.info("it stays on the list of nodes for a day: %s", error)


def _off(off: int) -> StoreError | None:
    off_s = off / SECOND
    if abs(off_s) <= CLOCK_MAY_BE_OFF_S:
        return None
    where = "behind" if off_s > 0 else "ahead of"
    return StoreError(
        f"it is {abs(off_s):.0f} s {where} the database's: nothing is dialled from here until both agree; set it by NTP"
    )
