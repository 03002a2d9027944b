"""Commits what was heard, in order, whatever the database does meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from sqlalchemy import Connection

from callback.attempts import own_calls, settle
from callback.errors import NotOurs, StoreError
from callback.events import PutAside
from callback.logs.failing import Failing
from callback.losses import calls, intake, wangiri
from callback.site.context import Site
from callback.site.work import Work
from callback.store import checkpoints
from callback.store.engine import Store
from callback.store.lease import Lease, guard
from telephony.calls.call import Call, Verdict
from telephony.calls.facts.agent_call import AgentCall
from telephony.dialling import dialler
from telephony.pbx import Gap, Stretch

log = logging.getLogger(__name__)

BACKLOG = 1000  # stretches that wait to be committed; then what is heard is only kept in the journal
BATCH = 100
RETRY_S = 1.0
_WORK = "commit what was heard"

Item = tuple[Call, Verdict] | dialler.AttemptEvent | AgentCall | Gap
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
        site: Site,
        held: Lease,
        journal_id: str,
        clock: Callable[[], int],
        committed: Callable[[int], None],
        *,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self._store, self._site, self._held, self._journal_id, self._clock = store, site, held, journal_id, clock
        self._committed = committed
        self._elsewhere = elsewhere
        self._failing = Failing(log)
        self._backlog: asyncio.Queue[Stretch] = asyncio.Queue()
        self._taken = self._done = 0
        self._moved = asyncio.Condition()
        self._ended = False

    @property
    def room(self) -> bool:
        """Tell whether more may be put without waiting."""
        return self._taken - self._done < BACKLOG

    async def put(self, heard: Stretch) -> None:
        """Take a stretch at once and in order; return when not too much waits to be committed."""
        self._backlog.put_nowait(heard)
        self._taken += 1
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
        items = [item for heard in batch for item in _items(heard)]
        checkpoint = batch[-1].checkpoint
        try:
            self._transaction(items, checkpoint)
        except (NotOurs, StoreError):
            raise
        except Exception:
            log.exception("a batch was refused; its %d items are committed one by one", len(items))
            for item in items:
                self._alone(item)
            self._transaction([], checkpoint)

    def _alone(self, item: Item) -> None:
        try:
            self._transaction([item], None)
        except (NotOurs, StoreError):
            raise
        except Exception as error:
            log.exception("put aside, with nothing done about it: %r", item)
            with self._store.write() as connection:
                guard(connection, self._held)
                Work(connection, self._site, self._clock()).tell(PutAside(repr(item), str(error)))

    def _transaction(self, items: list[Item], checkpoint: int | None) -> None:
        now = self._clock()

        def done(connection: Connection) -> None:
            guard(connection, self._held)
            work = Work(connection, self._site, now)
            for item in items:
                _one(work, item)
            wangiri.audited(work)  # last: whoever decides takes the audit's end last
            own_calls.audited(work)
            if checkpoint is not None:
                checkpoints.advance(connection, self._site.pbx, self._journal_id, checkpoint, now)

        self._store.transact(done)


def _items(heard: Stretch) -> list[Item]:
    """Give what is to be committed of a stretch; the gap comes last: it is told with what was found in it."""
    return [*heard.calls, *heard.attempts, *heard.agent_calls, *([heard.gap] if heard.gap else [])]


def _one(work: Work, item: Item) -> None:
    match item:
        case dialler.AttemptStep():
            settle.progress(work, item.attempt, item.step, item.at, item.agent)
        case dialler.AttemptEnd(outcome=None):
            pass  # resolved by its ticket
        case dialler.AttemptEnd():
            evidence = list(item.evidence)
            settle.end(work, item.attempt, str(item.outcome), evidence, item.at)
        case AgentCall():
            own_calls.heard(work, item)
        case Gap():
            calls.gap(work, item)
        case (call, verdict):
            intake.record(work, call, verdict)
