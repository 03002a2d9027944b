"""The transactions of the holder of a PBX's lease: short, and each in a worker thread, so that the loop goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from callback.events import RulesInForce
from callback.reservations import switched_on
from callback.site import rule_versions
from callback.site.context import SiteInTime
from callback.site.work import Work
from callback.store import lease
from callback.store.engine import Store

_T = TypeVar("_T")
_Begin = Callable[[Connection, lease.Lease], None]


def take_up(work: Work) -> None:
    """Act by other rules from now on, before anything is decided by them: the part of the process that decides."""
    switched_on.begin(work)
    version = rule_versions.version_of(work.connection, work.pbx, work.site.version)
    work.tell(RulesInForce(version.version, version.who, version.why))


def as_before(_work: Work) -> None:
    """Act by other rules, and say nothing: of a process that decides nothing."""


class Transactions:
    """Reads and writes at one site as units of work; `committed` is called after each that told something.

    Every write begins with the lease: NotOurs when another process has it by now. Each is under the rules that are in
    force then; `changed` is called in the first one under others.
    """

    def __init__(
        self,
        store: Store,
        site: SiteInTime,
        held: lease.Lease,
        now: Callable[[], int],
        committed: Callable[[], None],
        changed: Callable[[Work], None] = take_up,
    ) -> None:
        self._store, self._site, self._held, self._now, self._committed = store, site, held, now, committed
        self._changed, self._under = changed, site.last.version

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
                return look(self._work(connection))

        return await asyncio.to_thread(reads)

    async def write(self, do: Callable[[Work], _T]) -> _T:
        """Let `do` write in one transaction."""
        return await asyncio.to_thread(self._write, do, lease.guard)

    async def renew(self, do: Callable[[Work], _T]) -> _T:
        """The same, and hold the lease for another term.

        The lease is written first of all: two that only look at it first, and then write it, end in each other's way.
        """
        return await asyncio.to_thread(self._write, do, lease.renew)

    async def transact(self, do: Callable[[Work], _T]) -> _T:
        """The same, once more where other transactions were in its way: `do` may change nothing but the database."""

        def transacts() -> _T:
            return self._told(*self._store.transact(lambda connection: self._guarded(connection, do)))

        return await asyncio.to_thread(transacts)

    def _write(self, do: Callable[[Work], _T], begin: _Begin) -> _T:
        with self._store.write() as connection:
            done = self._guarded(connection, do, begin)
        return self._told(*done)

    def _guarded(
        self, connection: Connection, do: Callable[[Work], _T], begin: _Begin = lease.guard
    ) -> tuple[_T, Work]:
        begin(connection, self._held)
        work = self._work(connection)
        if work.site.version != self._under:
            self._changed(work)
        return do(work), work

    def _work(self, connection: Connection) -> Work:
        now = self._now()
        return Work(connection, self._site.at(connection, now), now)

    def _told(self, done: _T, work: Work) -> _T:
        self._under = work.site.version
        if work.told:
            self._committed()
        return done
