"""Where the service begins and ends: it checks and opens what its role needs, and waits for its turn."""

from __future__ import annotations

import asyncio
import logging
import secrets
import signal
from collections.abc import Coroutine, Iterator
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import Any, TextIO, cast

from callback.clock import now_us
from callback.cluster.nodes import Who, name_here
from callback.cluster.roles import Role
from callback.errors import SettingsError
from callback.events import Stopped
from callback.logs.structured import JsonLines
from callback.service import child_process
from callback.service.event_log import EventLog
from callback.service.narrator import Narrator
from callback.service.node.presence import Presence
from callback.service.node.shared import Shared
from callback.service.node.turns import Process, Turns
from callback.service.texting.turn import Texting
from callback.service.watching.deaths import Deaths
from callback.service.watching.pulse import Pulse
from callback.service.watching.troubles import WatchMachine
from callback.service.worker import Turn, Worker
from callback.settings.sections import Settings
from callback.site.templates import language_faults
from callback.store import keys, lease, schema
from telephony.listening.journal import Journal, JournalFull, JournalInUse
from telephony.listening.signatures import sign, signatures

log = logging.getLogger(__name__)


class Service:
    """Does what its role says until it is stopped; `people` and `programs` are told what happens, line by line."""

    def __init__(
        self,
        settings: Settings,
        people: TextIO,
        programs: TextIO | None = None,
        settings_file: Path | None = None,
        role: Role = Role.ALL,
    ) -> None:
        self._settings, self._settings_file, self._role = settings, settings_file, role
        self._store, pbx = keys.store_of(settings.database), settings.pbx.name
        full = settings.logs.numbers == "full"
        process = Process.of_now(now_us())
        name = name_here(settings.cluster.node)
        about = {"pbx": pbx, "node": name, "role": str(role)} if settings.logs.form == "json" else None
        zone = settings.rules.hours().zone
        narrator = Narrator(zone, people, programs, full_numbers=full, now=now_us, about=about)
        self._events = EventLog(self._store, pbx, narrator, now_us)
        self._shared = Shared(settings, self._store, self._events)
        self._stopped = asyncio.Event()
        who = Who(secrets.token_hex(16), name, role, pbx, metadata.version("lost-call-recovery"))
        self._presence = Presence(self._store, who, now_us)
        self._turns = Turns(process, self._store, self._events, self._presence, self._stopped, settings.pbx.lease_s)
        self._machine = WatchMachine(settings, self._store, now_us, listens=role.listens)
        self._pulse = Pulse(who, now_us)
        self._pulse.standing = lambda: self._presence.standing
        self._pulse.off_s = lambda: self._presence.off_s
        printed = people if about is None else cast("TextIO", JsonLines(people, "texts", about))
        shared = (settings, self._store, self._events, self._presence, self._turns, printed)
        self._texting = Texting(*shared, self._pulse)

    async def run(self) -> None:
        """Do the role's work in our turn; ends on SIGTERM, SIGINT and SIGHUP."""
        _check_texts(self._settings)
        for number in _ending():
            asyncio.get_running_loop().add_signal_handler(number, self._stopped.set)
        with closing(self._store):
            await asyncio.to_thread(schema.migrate, self._store)
            await asyncio.to_thread(keys.check, self._store)  # before it stands by: a wrong key does not pass by itself
            self._events.start()
            present = [*map(asyncio.create_task, (self._presence.run(), self._machine.run())), *self._keep_watched()]
            try:
                await self._work()
            finally:
                await _end(present)
                await asyncio.to_thread(self._shared.leave)
                await asyncio.to_thread(self._events.close)

    async def _work(self) -> None:
        match self._role:
            case Role.WEB:
                await self._serve()
            case Role.TEXT:
                self._events.begin_beside()
                await self._texting.run(self._stopped, _nobody, self._shared)
            case _:
                await self._listen()
        self._events.tell(Stopped())

    async def _serve(self) -> None:
        """Keep the web processes until stopped: whoever has no turn to wait for."""
        web = self._keep_web()
        if not web:
            where = str(self._settings_file or "settings")
            raise SettingsError(where, ["[console] listen or [web] listen: is missing; --role web serves nothing else"])
        self._events.begin_beside()
        self._presence.does("web", "keeps the web processes")
        try:
            await self._stopped.wait()
        finally:
            await _end(web)

    async def _listen(self) -> None:
        """Listen and act once nobody else does."""
        journal = await self._take_journal()
        if journal is None:
            return
        with closing(journal):
            wiring = self._settings.pbx
            place = wiring.journal / wiring.name
            dead = frozenset(signatures(place))
            _sign(place, self._turns.process.owner)
            held = await self._turns.take(f"pbx:{wiring.name}", f"listens to {wiring.name}", dead.__contains__)
            if held is not None:
                await self._act(journal, held, dead)

    async def _act(self, journal: Journal, held: lease.Lease, dead: frozenset[str]) -> None:
        """Listen; the whole service keeps the web beside that, and takes its turn to send texts."""
        name = self._settings.pbx.name
        self._presence.does(f"listens to {name}", f"listens to {name}")
        beside: list[asyncio.Task[None]] = []
        try:
            turn = Turn(journal, held)
            worker = Worker(self._settings, self._store, turn, self._events, now_us, self._stopped, self._pulse)
            worker.share(await asyncio.to_thread(self._shared.join))
            if self._role is Role.ALL:
                texting = self._texting.run(self._stopped, dead.__contains__, self._shared)
                beside = [*self._keep_web(), asyncio.create_task(self._or_stop(texting))]
            await worker.run()
            for task in beside:
                if task.done():
                    task.result()  # what stopped the service is raised
        finally:
            await _end(beside)
            await self._turns.give_back(held)

    async def _or_stop(self, part: Coroutine[Any, Any, None]) -> None:
        """Stop the service where a part of it fails as nobody foresaw: who watches it must see that."""
        try:
            await part
        except Exception:
            self._stopped.set()
            raise

    def _keep_web(self) -> list[asyncio.Task[None]]:
        """Keep the web processes running: processes of their own, so that no page delays the AMI reader."""
        if self._settings_file is None:
            return []
        return [self._keep(one) for one in child_process.kept(self._settings, self._settings_file)]

    def _keep_watched(self) -> list[asyncio.Task[None]]:
        """Keep the process that serves metrics and health checks, from the start to the end, whosever turn it is."""
        if self._settings_file is None:
            return []
        kept = child_process.watching(self._settings, self._settings_file, self._pulse.line)
        return [asyncio.create_task(self._pulse.run()), *map(self._keep, kept)] if kept else []

    def _keep(self, one: child_process.Kept) -> asyncio.Task[None]:
        deaths = Deaths(one.name, self._events.tell, self._pulse.child)
        return asyncio.create_task(child_process.keep(one, self._events.tell, deaths=deaths))

    async def _take_journal(self) -> Journal | None:
        """Open the journal, which only one process at a time may write; None when stopped before.

        What does not pass by itself (a folder of another user) ends the service: who watches it must see that.
        """
        wiring = self._settings.pbx
        while not self._turns.over:
            try:
                return Journal(wiring.journal / wiring.name, max_bytes=wiring.journal_max_mb << 20)
            except (JournalInUse, JournalFull) as error:
                await self._turns.stand_by(f"listens to {wiring.name}", str(error))
        return None


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _nobody(_owner: str) -> bool:
    return False


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
