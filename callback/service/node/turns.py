"""Taking one's turn: a lease is taken as soon as it can be had, and until then the process stands by and says why."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from callback.errors import StoreAway, StoreError
from callback.events import LeaseKept, Standby
from callback.service.event_log import EventLog
from callback.service.node.presence import STANDS_BY, Presence
from callback.store import lease
from callback.store.engine import Store


@dataclass(frozen=True, slots=True)
class Process:
    """This process, as the leases know it: the name is of this run alone."""

    owner: str
    host: str

    @classmethod
    def of_now(cls, now: int) -> Process:
        """Give the one that runs."""
        host = socket.gethostname()
        return cls(f"{host}:{os.getpid()}:{now}", host)


class Turns:
    """Takes leases for one process, waits until they can be had, and gives them back."""

    def __init__(
        self,
        process: Process,
        store: Store,
        events: EventLog,
        presence: Presence,
        stopped: asyncio.Event,
        lease_s: float,
    ) -> None:
        self.process = process
        self._store, self._events, self._presence, self._stopped = store, events, presence, stopped
        self._lease_s = lease_s
        self._told: set[str] = set()

    @property
    def over(self) -> bool:
        """Whether the service was asked to stop."""
        return self._stopped.is_set()

    async def take(
        self, name: str, duty: str, dead: Callable[[str], bool], unfit: Callable[[Connection], str] = lambda _: ""
    ) -> lease.Lease | None:
        """Take a lease; None when stopped before. `dead` says of which holders it is known that they have ended.

        `unfit` says why the work cannot begin even if nobody else does it; empty: it can.
        """
        while not self.over:
            try:
                held, why = await asyncio.to_thread(self._try, name, duty, dead, unfit)
            except StoreAway as error:
                held, why = None, str(error)
            if held is not None:
                self._told.discard(duty)
                return held
            await self.stand_by(duty, why)
        return None

    def _try(
        self, name: str, duty: str, dead: Callable[[str], bool], unfit: Callable[[Connection], str]
    ) -> tuple[lease.Lease | None, str]:
        owner, host = self.process.owner, self.process.host
        with self._store.write() as connection:
            if why := unfit(connection):
                return None, why
            held = lease.acquire(connection, name, owner, host, self._lease_s, dead=dead)
            rival = lease.holder(connection, name)
        where = f"{rival.host} ({rival.owner})" if rival else "another host"
        return held, f"a service on {where} {duty}; this one takes its place if it ends"

    async def stand_by(self, duty: str, why: str) -> None:
        """Wait a moment, or until stopped; say why, once."""
        self._presence.does(duty, f"{STANDS_BY}{why}")
        if duty not in self._told:
            self._events.tell(Standby(why))
            self._told.add(duty)
        stopping = asyncio.ensure_future(self._stopped.wait())
        await asyncio.wait([stopping], timeout=self._lease_s / 10)
        stopping.cancel()

    async def give_back(self, held: lease.Lease) -> None:
        """Give a lease back; where the database is away it lapses by itself."""
        try:
            await asyncio.to_thread(self._release, held)
        except StoreError as error:
            self._events.tell(LeaseKept(str(error)))

    def _release(self, held: lease.Lease) -> None:
        with self._store.write() as connection:
            lease.release(connection, held)
