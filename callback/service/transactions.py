"""The transactions of the holder of a PBX's lease: short, and each in a worker thread, so that the loop goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from callback.site.context import Site
from callback.site.work import Work
from callback.store import lease
from callback.store.engine import Store

_T = TypeVar("_T")


class Transactions:
    """Reads and writes at one site as units of work; `committed` is called after each that told something.

    Every write begins with the lease: NotOurs when another process has it by now.
    """

    def __init__(
        self,
        store: Store,
        site: Site,
        held: lease.Lease,
        now: Callable[[], int],
        committed: Callable[[], None],
    ) -> None:
        self._store, self._site, self._held, self._now, self._committed = store, site, held, now, committed

    @property
    def pbx(self) -> str:
        """The name of the site's PBX."""
        return self._site.pbx

    def now(self) -> int:
        """The moment that counts as now, in microseconds UTC."""
        return self._now()

    async def read(self, look: Callable[[Work], _T]) -> _T:
        """Let `look` read the database."""

        def reads() -> _T:
            with self._store.read() as connection:
                return look(Work(connection, self._site, self._now()))

        return await asyncio.to_thread(reads)

    async def write(self, do: Callable[[Work], _T]) -> _T:
        """Let `do` write in one transaction."""

        def writes() -> _T:
            with self._store.write() as connection:
                done, told = self._guarded(connection, do)
            return self._done(done, told=told)

        return await asyncio.to_thread(writes)

    async def transact(self, do: Callable[[Work], _T]) -> _T:
        """The same, once more where other transactions were in its way: `do` may change nothing but the database."""

        def transacts() -> _T:
            done, told = self._store.transact(lambda connection: self._guarded(connection, do))
            return self._done(done, told=told)

        return await asyncio.to_thread(transacts)

    def _guarded(self, connection: Connection, do: Callable[[Work], _T]) -> tuple[_T, bool]:
        lease.guard(connection, self._held)
        work = Work(connection, self._site, self._now())
        return do(work), bool(work.told)

    def _done(self, done: _T, *, told: bool) -> _T:
        if told:
            self._committed()
        return done
