"""Commits what was heard, in order, whatever the database does meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from callback.errors import StoreError
from callback.logs.failing import Failing
from callback.service.commits import Commits, Heard, Listener
from callback.service.watching.delays import CommitDelays
from callback.site.context import Sites
from callback.store.engine import Store
from callback.store.lease import Lease
from telephony.pbx import Stretch

log = logging.getLogger(__name__)

BACKLOG = 1000  # stretches that wait to be committed; then what is heard is only kept in the journal
BATCH = 100
RETRY_S = 1.0
_WORK = "commit what was heard"

Elsewhere = Callable[[list[Stretch]], Awaitable[None] | None]
"""Commits a batch in another process; None: not now."""


class Committer:
    """Takes what was heard and commits it, in batches, with what came of it.

    While the database is away it tries again and again: what waits is bounded (`room`), and the journal keeps all of
    it. An item that the database refuses for its own sake is put aside, with its reason in the log, and the others go
    on. It commits `elsewhere`, or in a worker thread.
    """

    def __init__(
        self,
        store: Store,
        sites: Sites,
        held: Lease,
        journal_id: str,
        clock: Callable[[], int],
        committed: Callable[[int], None],
        *,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self._commits, self._listener = Commits(store, clock), Listener(sites, held, journal_id)
        self._committed = committed
        self._elsewhere = elsewhere
        self._failing = Failing(log)
        self._backlog: asyncio.Queue[Stretch] = asyncio.Queue()
        self._taken = self._done = 0
        self._moved = asyncio.Condition()
        self._ended = False
        self.delays = CommitDelays()

    @property
    def waiting(self) -> int:
        """How many stretches were taken and are not committed."""
        return self._taken - self._done

    @property
    def room(self) -> bool:
        """Tell whether more may be put without waiting."""
        return self._taken - self._done < BACKLOG

    async def put(self, heard: Stretch) -> None:
        """Take a stretch at once and in order; return when not too much waits to be committed."""
        self._backlog.put_nowait(heard)
        self._taken += 1
        self.delays.taken(self._taken)
        if self._taken - self._done > BACKLOG:
            async with self._moved:
                await self._moved.wait_for(lambda: self._taken - self._done <= BACKLOG)

    async def caught_up(self) -> None:
        """Wait until what was taken so far is committed: only then may anything be decided on it.

        StoreError where that will not be: `run` has ended.
        """
        taken = self._taken
        async with self._moved:
            await self._moved.wait_for(lambda: self._done >= taken or self._ended)
        if self._done < taken:
            raise StoreError("the service ends before all that was heard is committed: the next one hears it again")

    async def run(self) -> None:
        """Commit for ever; raises NotOurs when the lease was lost."""
        try:
            await self._run()
        finally:
            self._ended = True
            async with self._moved:
                self._moved.notify_all()

    async def _run(self) -> None:
        while True:
            batch = [await self._backlog.get()]
            while len(batch) < BATCH and not self._backlog.empty():
                batch.append(self._backlog.get_nowait())
            await self._until_done(batch)
            self._committed(batch[-1].checkpoint)
            async with self._moved:
                self._done += len(batch)
                self.delays.done(self._done)
                self._moved.notify_all()

    async def _until_done(self, batch: list[Stretch]) -> None:
        while True:
            try:
                await self._somewhere(batch)
            except StoreError as error:
                self._failing.fails(_WORK, error)
                await asyncio.sleep(RETRY_S)
            else:
                self._failing.works(_WORK)
                return

    async def _somewhere(self, batch: list[Stretch]) -> None:
        begun = self._elsewhere(batch) if self._elsewhere else None
        await (begun or asyncio.to_thread(self.commit, batch))

    def commit(self, batch: list[Stretch]) -> None:
        """Commit a batch in one transaction; where that fails for its content, item by item."""
        self._commits.alone(Heard.from_stretches(self._listener, batch))
