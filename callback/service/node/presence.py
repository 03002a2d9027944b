"""Lets the other processes of the site, and people, know that this one lives, and what it does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from callback.clock import CLOCK_MAY_BE_OFF_S
from callback.cluster import nodes
from callback.cluster.nodes import Who
from callback.errors import StoreError
from callback.logs.failing import Failing
from callback.operations.vitals import State
from callback.store.engine import Store
from scheduler.clock import SECOND

log = logging.getLogger(__name__)


STANDS_BY: Final = "stands by: "


class Presence:
    """Writes every few seconds that this process lives, until it is cancelled; nothing depends on it."""

    def __init__(self, store: Store, who: Who, now: Callable[[], int]) -> None:
        self._store, self._who, self._now = store, who, now
        self._duties: dict[str, str] = {}
        self.off_s: float | None = None  # by which the database's clock is ahead of ours; None: not known yet
        self._news = asyncio.Event()
        self._failing = Failing(log)

    def does(self, duty: str, words: str) -> None:
        """Say what it does about a duty, or why it does not."""
        if self._duties.get(duty) != words:
            self._duties[duty] = words
            self._news.set()

    @property
    def standing(self) -> tuple[State, str]:
        """Whether it has begun, does anything, or only stands by, and then why."""
        if not self._duties:
            return "starting", ""
        waits = [words for words in self._duties.values() if words.startswith(STANDS_BY)]
        if len(waits) < len(self._duties):
            return "at-work", ""
        return "stands-by", waits[0].removeprefix(STANDS_BY)

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
        self.off_s = off / SECOND
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
