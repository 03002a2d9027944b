"""The only place where parts are joined: one PBX, the database, the gateway, the clock.

What the PBX says goes through a bounded queue to the writer, which commits it in order. Ticks decide, tend and text.
All of it runs its short transactions in worker threads, so that the ear stays open.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable
from typing import TextIO

from sqlalchemy import Connection

from callback import dispatch, live, settle, tending, wording
from callback.errors import NotOurs, SettingsError, StoreError
from callback.narrator import Narrator
from callback.news import News
from callback.settings import Settings
from callback.shift import Shift, take_over
from callback.store import checkpoints, lanes, lease, schema
from callback.store.engine import Store, clock
from callback.writer import Writer
from scheduler.jobs import Ticker
from sms.console import ConsoleGateway
from sms.delivery import deliver
from telephony.dialler import Order
from telephony.errors import TelephonyError
from telephony.journal import Journal
from telephony.pbx import Heard, Pbx, PlacingRefused, Wiring
from telephony.tasks import together

log = logging.getLogger(__name__)

TICK_S = 1.0
TEXTS_A_TICK = 20


def now_us() -> int:
    """This machine's clock, microseconds UTC."""
    return time.time_ns() // 1000


class Service:
    """Listens and acts until it is stopped; `people` and `programs` are told what happens, line by line."""

    def __init__(self, settings: Settings, people: TextIO, programs: TextIO | None = None) -> None:
        self._settings = settings
        self._store = Store(settings.database.url)
        self._narrator = Narrator(settings.rules.hours().zone, people, programs)
        self._gateway = ConsoleGateway(people)
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Take over what an earlier run left, then listen and act; ends on SIGTERM and SIGINT."""
        _check_texts(self._settings)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stopped.set)
        await asyncio.to_thread(schema.migrate, self._store)
        held = await self._take_lease()
        if held is None:
            return
        try:
            await Shiftwork(self._settings, self._store, held, self._narrator, self._gateway, self._stopped).run()
        finally:
            with self._store.write() as connection:
                lease.release(connection, held)
            self._store.close()

    async def _take_lease(self) -> lease.Lease | None:
        """Wait until this PBX is ours to listen to; None when stopped before."""
        wiring, host = self._settings.pbx, socket.gethostname()
        name, owner = f"pbx:{wiring.name}", f"{host}:{os.getpid()}:{now_us()}"
        told, stopping = False, asyncio.ensure_future(self._stopped.wait())
        while not self._stopped.is_set():
            with self._store.write() as connection:
                held = lease.acquire(connection, name, owner, host, wiring.lease_s)
            if held is not None:
                return held
            if not told:
                why = f"another process listens to {wiring.name}; waiting until it stops or its lease lapses"
                self._narrator.tell([News("standby", now_us(), {"why": why})])
                told = True
            await asyncio.wait([stopping], timeout=wiring.lease_s / 10)
        return None


class Shiftwork:
    """The work of the one process that holds the lease of a PBX."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        held: lease.Lease,
        narrator: Narrator,
        gateway: ConsoleGateway,
        stopped: asyncio.Event,
    ) -> None:
        self._store, self._held, self._narrator, self._gateway = store, held, narrator, gateway
        self._stopped = stopped
        wiring = settings.pbx
        self._journal = Journal(wiring.journal, max_bytes=wiring.journal_max_mb << 20)
        with store.write() as connection:
            lease.guard(connection, held)
            self._shift: Shift = take_over(connection, settings, now_us())
            self._begin_at = checkpoints.begin(connection, wiring.name, now_us())
        self._pbx = Pbx(
            Wiring(wiring.name, wiring.host, wiring.port, wiring.username, wiring.secret),
            self._journal,
            self._shift.rules.reached_after_s,
            on_heard=self._on_heard,
            on_state=self._on_state,
        )
        self._writer = Writer(store, self._shift, held, now_us, narrator.tell, self._journal.forget_before)
        self._lost_lease: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._live: live.Live | None = None

    async def run(self) -> None:
        """Hear again what was not committed, then listen, write and tick until stopped."""
        ticker = Ticker()
        for job, every_s in (
            (self._renew, self._held.ttl_s / 3),
            (self._act, TICK_S),
            (self._tend, TICK_S),
            (self._text, TICK_S),
        ):
            ticker.every(every_s, self._watched(job), job.__name__.strip("_"))
        self._tell([News("started", now_us(), {"pbx": self._pbx.name, "journal_from": self._begin_at})])
        ticker.start()
        try:
            await together(self._listen(), self._writer.run(), self._stop_asked(), self._lease_lost())
        finally:
            await ticker.stop()
            self._journal.close()
        self._tell([News("stopped", now_us())])

    async def _listen(self) -> None:
        for heard in self._pbx.recall(self._begin_at):
            await self._writer.put(heard)
        await self._pbx.run()

    async def _stop_asked(self) -> None:
        await self._stopped.wait()

    async def _lease_lost(self) -> None:
        await self._lost_lease

    def _watched(self, job: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """A job whose loss of the lease ends the service, while any other failure is logged and ticks on."""

        async def watched() -> None:
            try:
                await job()
            except NotOurs as error:
                if not self._lost_lease.done():
                    self._lost_lease.set_exception(error)
            except (StoreError, TelephonyError) as error:
                log.warning("%s: %s", getattr(job, "__name__", job), error)

        return watched

    # What is heard and told

    async def _on_heard(self, heard: Heard) -> None:
        await self._writer.put(heard)

    def _on_state(self, state: str, why: str) -> None:
        told = [News(f"pbx-{state}", now_us(), {"pbx": self._pbx.name, "why": why})]
        if state == "up":
            told += [self._unknown(queue) for queue in self._shift.rules.queues if queue not in self._pbx.queues]
        self._tell(told)

    def _unknown(self, queue: str) -> News:
        why = f"no such queue on the PBX: mend [rules.queues.{queue}]; it has {', '.join(sorted(self._pbx.queues))}"
        return News("unknown-queue", now_us(), {"queue": queue, "why": why})

    def _tell(self, news: list[News]) -> None:
        self._narrator.tell(news)

    # Ticks

    async def _renew(self) -> None:
        await asyncio.to_thread(self._in_transaction, lambda connection: lease.renew(connection, self._held))

    async def _act(self) -> None:
        """Carry over, then place as many callbacks as may be placed now.

        What was heard is committed first: a call that has just ended may have settled what would be dialled.
        """
        if not self._writer.idle:
            return
        self._live = live.look(self._pbx, self._shift, await asyncio.to_thread(self._database_off_s), now_us())
        await asyncio.to_thread(self._carry_and_show, self._live)
        while not self._stopped.is_set():
            order = await asyncio.to_thread(self._claim, self._live)
            if order is None:
                return
            await self._place(order)

    def _database_off_s(self) -> float:
        return (self._store.now() - now_us()) / 1e6

    def _carry_and_show(self, seen: live.Live) -> None:
        now = now_us()
        with self._store.write() as connection:
            lease.guard(connection, self._held)
            told = dispatch.carry_over(connection, self._shift, now)
            live.store(connection, self._shift.pbx, seen, now)
        self._tell(told)

    def _claim(self, seen: live.Live) -> Order | None:
        with self._store.write() as connection:
            lease.guard(connection, self._held)
            order, told = dispatch.next_order(connection, self._shift, self._held, seen, now_us())
        self._tell(told)
        return order

    async def _place(self, order: Order) -> None:
        """Ask the PBX; a refusal ends the attempt, and no answer leaves it to its ticket."""
        try:
            await self._pbx.place(order)
        except TelephonyError as error:
            log.warning("attempt %s: %s", order.attempt, error)
            if isinstance(error, PlacingRefused):
                await asyncio.to_thread(self._end, order.attempt, "trunk-failure", [str(error)], now_us())

    async def _tend(self) -> None:
        """Resolve attempts whose end nobody heard, and call off those whose customer has come back by himself."""
        if not self._pbx.ready:
            return
        now = now_us()
        rows = await asyncio.to_thread(self._in_flight)
        for row in tending.came_back(rows, self._live.numbers if self._live else frozenset()):
            await self._pbx.call_off(row.id)
        for row in tending.unattended(rows, self._pbx.dialler.live(), now):
            ticket = await self._pbx.ticket(row.id)
            found = tending.resolve(row, ticket, self._shift.rules.reached_after_s, now_us())
            if found is not None and row.id not in self._pbx.dialler.live():
                await asyncio.to_thread(self._end, row.id, found.outcome, found.evidence, now)

    def _in_flight(self) -> list[lanes.Flight]:
        with self._store.read() as connection:
            return lanes.in_flight(connection, self._shift.pbx)

    def _end(self, attempt: str, outcome: str, evidence: list[str], at: int) -> None:
        def settled(connection: Connection) -> list[News]:
            return settle.end(connection, self._shift, attempt, outcome, evidence, at, now_us())

        self._in_transaction(settled)

    async def _text(self) -> None:
        """Send what is due; nobody is texted while he is on the line."""
        await asyncio.to_thread(self._deliver, self._live.numbers if self._live else frozenset())

    def _deliver(self, on_the_line: frozenset[str]) -> None:
        with self._store.write() as connection:
            lease.guard(connection, self._held)
            wording.hold_back(connection, self._shift, on_the_line, clock(connection))
        deliver(self._store.write, self._gateway, self._address, self._store.now, TEXTS_A_TICK)

    def _address(self, recipient: str) -> str | None:
        with self._store.read() as connection:
            return wording.number_of(connection, recipient)

    def _in_transaction(self, work: Callable[[Connection], list[News] | None]) -> None:
        with self._store.write() as connection:
            lease.guard(connection, self._held)
            told = work(connection)
        self._tell(told or [])


def _check_texts(settings: Settings) -> None:
    """The texts must be sound, and every queue's language one of theirs, before anything is promised."""
    known = wording.templates().languages
    faults = [
        f"[rules.queues.{name}] language: '{queue.language}' has no texts; there are {', '.join(sorted(known))}"
        for name, queue in settings.rules.queues.items()
        if queue.language not in known
    ]
    if faults:
        raise SettingsError("settings", faults)
