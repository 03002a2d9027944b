"""Looks for troubles that last: of the site by a job of whoever has a lease, of this machine by every process."""

from __future__ import annotations

import asyncio
import logging
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from callback.errors import StoreError
from callback.logs.failing import Failing
from callback.operations import troubles
from callback.operations.troubles import Trouble
from callback.service.transactions import Transactions
from callback.settings.sections import Settings
from callback.site.context import Sites
from callback.site.work import Work
from callback.store.engine import Store

log = logging.getLogger(__name__)

EVERY_S: Final = 10.0
LEAST_FREE: Final = 0.05
"""Of a disk that the service writes to."""
_ASK_S: Final = 1.0


class WatchSite:
    """Tells which nodes are gone and whose clocks are off."""

    name = "watch the site"
    every_s = EVERY_S

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def run(self) -> None:
        """Look once."""
        await self._transactions.write(troubles.look_at_site)


class WatchMachine:
    """Tells of this machine's own troubles, whatever the role and whosever turn it is, until it is cancelled."""

    def __init__(self, settings: Settings, store: Store, now: Callable[[], int], *, listens: bool) -> None:
        self._settings, self._store, self._now = settings, store, now
        self._place = settings.cluster.node or socket.gethostname()
        self._folders = list(_folders(settings, store, listens=listens))
        self._sites, self._failing = Sites(settings), Failing(log)

    async def run(self) -> None:
        """Look again and again; a database that is away, or has no rules yet, is somebody else's to tell of."""
        while True:
            self._failing.tried("watch this machine", await asyncio.to_thread(self._look))
            await asyncio.sleep(EVERY_S)

    def _look(self) -> Exception | None:
        present = {**dict(self._disks()), **self._redis()}
        try:
            with self._store.write() as connection:
                now = self._now()
                work = Work(connection, self._sites.at(connection, now), now)
                troubles.settle(work, troubles.OF_MACHINE, present, self._is_ours)
        except StoreError:
            return None
        except Exception as error:  # noqa: BLE001 - whatever it is, the next look may do better
            return error
        return None

    def _is_ours(self, about: str) -> bool:
        return about == self._place or about.startswith(f"{self._place} ")

    def _disks(self) -> Iterator[tuple[Trouble, str]]:
        for folder in self._folders:
            try:
                disk = shutil.disk_usage(folder)
            except OSError:
                continue
            if disk.free < disk.total * LEAST_FREE:
                told = f"{disk.free >> 20} MiB of {disk.total >> 20} are free there: make room"
                yield Trouble("disk-low", f"{self._place} {folder}"), told

    def _redis(self) -> dict[Trouble, str]:
        if not (url := self._settings.cluster.redis):
            return {}
        from callback.cluster import link  # noqa: PLC0415 - dear to import, and rarely needed

        if why := link.away(url, _ASK_S):
            return {Trouble("redis-away", self._place): f"Redis does not answer ({why}): start it"}
        return {}


def _folders(settings: Settings, store: Store, *, listens: bool) -> Iterator[Path]:
    """The folders that are written to."""
    if listens:
        yield settings.pbx.journal
    if store.dialect == "sqlite":
        yield Path(settings.database.url.removeprefix("sqlite:///")).parent
