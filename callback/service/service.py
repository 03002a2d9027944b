"""Where the service begins and ends: it checks and opens what it needs, and waits for the lease of the PBX."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TextIO

from callback.clock import now_us
from callback.errors import SettingsError, StoreAway, StoreError
from callback.events import LeaseKept, Standby
from callback.service import child_process
from callback.service.event_log import EventLog
from callback.service.narrator import Narrator
from callback.service.worker import Turn, Worker
from callback.settings.sections import Settings
from callback.site.templates import language_faults
from callback.store import keys, lease, schema
from callback.texts.send import gateway_of
from telephony.listening.journal import Journal, JournalFull, JournalInUse
from telephony.listening.signatures import sign, signatures

log = logging.getLogger(__name__)


class Service:
    """Listens and acts until it is stopped; `people` and `programs` are told what happens, line by line."""

    def __init__(
        self, settings: Settings, people: TextIO, programs: TextIO | None = None, settings_file: Path | None = None
    ) -> None:
        self._settings = settings
        self._store = keys.store_of(settings.database)
        full = settings.logs.numbers == "full"
        self._narrator = Narrator(settings.rules.hours().zone, people, programs, full_numbers=full, now=now_us)
        self._events = EventLog(self._store, settings.pbx.name, self._narrator, now_us)
        self._gateway = gateway_of(settings, people)
        self._settings_file = settings_file
        self._stopped = asyncio.Event()
        self._told = False

    async def run(self) -> None:
        """Wait for our turn, take over what an earlier run left, listen and act; ends on SIGTERM, SIGINT and SIGHUP."""
        _check_texts(self._settings)
        for number in _ending():
            asyncio.get_running_loop().add_signal_handler(number, self._stopped.set)
        with closing(self._store):
            await asyncio.to_thread(schema.migrate, self._store)
            await asyncio.to_thread(keys.check, self._store)  # before it stands by: a wrong key does not pass by itself
            self._events.start()
            try:
                await self._take_turn()
            finally:
                await asyncio.to_thread(self._events.close)

    async def _take_turn(self) -> None:
        """Listen and act once nobody else does."""
        journal = await self._take_journal()
        if journal is None:
            return
        with closing(journal):
            held = await self._take_lease()
            if held is not None:
                await self._work(journal, held)

    async def _work(self, journal: Journal, held: lease.Lease) -> None:
        parts = (self._store, Turn(journal, held), self._events, self._gateway)
        web = self._keep_web()
        try:
            await Worker(self._settings, *parts, now_us, self._stopped).run()
        finally:
            for kept in web:
                kept.cancel()
            await asyncio.gather(*web, return_exceptions=True)
            await asyncio.to_thread(self._release, held)

    def _keep_web(self) -> list[asyncio.Task[None]]:
        """Keep the web processes running: processes of their own, so that no page delays the AMI reader."""
        if self._settings_file is None:
            return []
        asked_for = child_process.kept(self._settings, self._settings_file)
        return [asyncio.create_task(child_process.keep(one, self._events.tell)) for one in asked_for]

    def _release(self, held: lease.Lease) -> None:
        """Give the lease back; where the database is away it lapses by itself."""
        try:
            with self._store.write() as connection:
                lease.release(connection, held)
        except StoreError as error:
            self._events.tell(LeaseKept(str(error)))

    async def _take_journal(self) -> Journal | None:
        """Open the journal, which only one process at a time may write; None when stopped before.

        What does not pass by itself (a folder of another user) ends the service: who watches it must see that.
        """
        wiring = self._settings.pbx
        while not self._stopped.is_set():
            try:
                return Journal(wiring.journal / wiring.name, max_bytes=wiring.journal_max_mb << 20)
            except (JournalInUse, JournalFull) as error:
                await self._stand_by(str(error))
        return None

    async def _take_lease(self) -> lease.Lease | None:
        """Take the lease of the PBX; None when stopped before.

        Who has *the* journal with which its holder worked knows that process dead, and need not wait for it to lapse.
        """
        wiring, host = self._settings.pbx, socket.gethostname()
        name, owner = f"pbx:{wiring.name}", f"{host}:{os.getpid()}:{now_us()}"
        place = wiring.journal / wiring.name
        dead = frozenset(signatures(place))
        _sign(place, owner)
        while not self._stopped.is_set():
            try:
                with self._store.write() as connection:
                    held = lease.acquire(connection, name, owner, host, wiring.lease_s, dead=dead.__contains__)
                    rival = lease.holder(connection, name)
            except StoreAway as error:
                await self._stand_by(str(error))
                continue
            if held is not None:
                return held
            where = f"{rival.host} ({rival.owner})" if rival else "another host"
            await self._stand_by(f"a service on {where} listens to {wiring.name}; this one takes its place if it ends")
        return None

    async def _stand_by(self, why: str) -> None:
        """Wait a moment, or until stopped; say why, once."""
        if not self._told:
            self._events.tell(Standby(why))
            self._told = True
        stopping = asyncio.ensure_future(self._stopped.wait())
        await asyncio.wait([stopping], timeout=self._settings.pbx.lease_s / 10)
        stopping.cancel()


def _ending() -> Iterator[signal.Signals]:
    """The signals that end the service: its settings are read once, so that a hang-up reloads nothing.

    A hang-up that was ignored when it was started (nohup) stays so: it is to go on without its terminal.
    """
    yield from (signal.SIGTERM, signal.SIGINT)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        yield signal.SIGHUP


def _sign(place: Path, owner: str) -> None:
    """Let the next process know that this one is dead; where that cannot be kept, it waits for our lease to lapse."""
    try:
        sign(place, owner)
    except OSError as error:
        log.warning("the journal could not be signed (%s): a successor waits until our lease lapses", error.strerror)


def _check_texts(settings: Settings) -> None:
    """The texts must be sound, and every queue's language one of theirs, before anything is promised."""
    if faults := language_faults(settings):
        raise SettingsError("settings", faults)
