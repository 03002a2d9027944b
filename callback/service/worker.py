"""The work of the one process that holds the lease of a PBX: the only place where its parts are joined.

What the PBX says goes through the writer, which commits it in order. Ticks decide, tend and text, each only when what
was heard so far is committed. All of it runs its short transactions in worker threads, so that the ear stays open.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from callback.attempts import claim, forecast, lanes, offer, resolve, settle, snapshot
from callback.attempts import priority as priorities
from callback.attempts.load import Traffic
from callback.errors import IllegalTransition, NotOurs, StoreError
from callback.events import News
from callback.logs.failing import Ailing
from callback.losses import incidents, redials
from callback.reservations import deadlines, switched_on
from callback.service import elsewhere
from callback.service.alerts import Bell
from callback.service.commit_process import CommitProcess, Task
from callback.service.committer import Writer
from callback.service.narrator import Narrator
from callback.service.outage import Outage
from callback.service.text_troubles import Troubles
from callback.service.ticker import Ticker
from callback.service.wiring import wiring_of
from callback.settings.sections import Settings
from callback.site.context import Site, take_over
from callback.site.work import Work
from callback.store import audit, checkpoints, keys, lease
from callback.store.engine import Store, clock
from callback.texts import compose
from callback.texts.send import send_due
from scheduler.promise_forecast import Crew
from sms.gateway import Gateway
from telephony.dialling.commands import PlacingRefused, Ticket
from telephony.dialling.dialler import Order, StepName
from telephony.errors import TelephonyError
from telephony.listening.journal import Journal
from telephony.pbx import Joined, Pbx
from telephony.tasks import together

log = logging.getLogger(__name__)
_Read = TypeVar("_Read")

TICK_S = 1.0
OFFER_EVERY_S = 5.0
OFFER_LASTS_S = 20
WARN_EVERY_S = 30.0
LEARN_EVERY_S = 1800.0
OWE_EVERY_S = 2.0
REFUSED_REST_S = 10.0  # after the PBX refused to place a callback
ANCHOR_EVERY_S = 86_400.0


class Shiftwork:
    """Listens, writes, decides, tends and texts for one PBX until `stopped` is set or the lease is lost."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        journal: Journal,
        held: lease.Lease,
        narrator: Narrator,
        gateway: Gateway,
        now: Callable[[], int],
        stopped: asyncio.Event,
    ) -> None:
        self._store, self._journal, self._held, self._gateway = store, journal, held, gateway
        self._narrator, self._now, self._stopped = narrator, now, stopped
        self._senders, self._troubles = settings.texts.senders, Troubles(gateway)
        wiring, began = settings.pbx, now()
        self._bell = Bell(settings.alarms, wiring.name, narrator.sentence, narrator.tell, now)
        self._keys = keys.take_out(store, began)
        with self._transaction() as connection:
            self._site: Site = take_over(connection, settings, began, gateway.two_way)
            journal_id, offset = checkpoints.begin(connection, wiring.name, journal.id, began)
            seen = snapshot.recall(connection, wiring.name)
            first_start = checkpoints.first_start(connection, wiring.name)
            self._switched = switched_on.begin(Work(connection, self._site, began))
            self._decided = elsewhere.Decided(connection, wiring.name)
        heard_at = (seen[0].heard_at if seen else None) or (first_start if first_start < began else None)
        self._hear_from = journal.resume(journal_id, offset)
        self._traffic, self._outage = Traffic(began), Outage()
        self._commit_process = CommitProcess([Task(settings, self._site.version, held, journal.id)], self._tell)
        parts = (store, self._site, held, journal.id, now, self._tell, journal.forget_before)
        self._writer = Writer(*parts, elsewhere=self._commit_process.commit)
        self._pbx = Pbx(
            wiring_of(settings),
            journal,
            self._site.rules.reached_after_s,
            on_heard=self._writer.put,
            on_state=self._on_state,
            room=lambda: self._writer.room,
            on_caller=self._greet,
            boot=seen[0].boot if seen else "",
            heard_at=heard_at,
            newest=seen[0].newest if seen else "",
        )
        self._returning = priorities.Returning(self._pbx, self._site.rules.returning_priority)
        self._places_from_s = 0.0  # of the loop's clock: the PBX refused the last callback
        self._ailing = Ailing(log)
        self._lost_lease: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Hear again what was not committed, then listen, write and tick until stopped."""
        ticker = Ticker()
        jobs = (
            (self._renew, self._held.ttl_s / 3),
            (self._act, TICK_S),
            (self._tend, TICK_S),
            (self._text, TICK_S),
            (self._offer, OFFER_EVERY_S),
            (self._warn, WARN_EVERY_S),
            (self._see_texts, WARN_EVERY_S),
            (self._learn, LEARN_EVERY_S),
            (self._owe, OWE_EVERY_S),
            (self._anchor, ANCHOR_EVERY_S),
        )
        for job, every_s in jobs:
            ticker.every(every_s, self._watched(job), job.__name__.strip("_"))
        self._tell([News("started", self._now(), {"pbx": self._pbx.name, "journal_from": self._hear_from})])
        self._tell([*self._keys, *self._switched])
        ticker.start()
        try:
            parts = (self._listen(), self._writer.run(), self._commit_process.run(), self._bell.run())
            await together(*parts, self._stop_asked(), self._lease_lost())
        except NotOurs as error:
            self._tell([News("lease-lost", self._now(), {"pbx": self._pbx.name, "why": str(error)})])
            raise
        finally:
            await ticker.stop()
            await self._bell.drain()
        self._tell([News("stopped", self._now())])

    async def _listen(self) -> None:
        for heard in self._pbx.recall(self._hear_from):
            await self._writer.put(heard)
        await self._pbx.run()

    async def _stop_asked(self) -> None:
        await self._stopped.wait()

    async def _lease_lost(self) -> None:
        await self._lost_lease

    def _watched(self, job: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """A job whose loss of the lease ends the service, while any other failure is logged and ticks on."""
        name = getattr(job, "__name__", str(job)).strip("_")

        async def watched() -> None:
            try:
                await job()
            except NotOurs as error:
                if not self._lost_lease.done():
                    self._lost_lease.set_exception(error)
            except (StoreError, TelephonyError) as error:
                self._ailing.fails(name, error)
            else:
                self._ailing.works(name)

        return watched

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """A transaction of the holder of the lease; NotOurs when that is somebody else by now."""
        with self._store.write() as connection:
            lease.guard(connection, self._held)
            yield connection

    async def _read(self, look: Callable[[Connection], _Read]) -> _Read:
        """Let `look` read the database in a transaction of its own, beside the loop."""

        def reads() -> _Read:
            with self._store.read() as connection:
                return look(connection)

        return await asyncio.to_thread(reads)

    # What is heard and told

    def _tell(self, news: list[News]) -> None:
        """Tell people and programs; what is alarming also reaches those who do not look. From any thread."""
        self._narrator.tell(news)
        self._bell.ring(self._narrator.shown(news))

    def _on_state(self, state: str, why: str) -> None:
        facts = self._outage.facts(state, why, self._now())
        told = [News(f"pbx-{state}", self._now(), {"pbx": self._pbx.name, **facts})] if facts else []
        if state == "up":
            told += [self._unknown(queue) for queue in self._site.rules.named() if queue not in self._pbx.queues]
        self._tell(told)

    async def _greet(self, caller: Joined) -> None:
        """Let a caller to whom a callback is owed through before the others: he has waited once already."""
        self._traffic.joins(caller.queue, self._now())
        rules = self._site.rules
        if rules.returning_priority == 0 or rules.queue(caller.queue).calls != "on":
            return
        asked = (self._site, caller.number, caller.queue, caller.channel)
        if await self._read(lambda connection: redials.owed(connection, *asked)):
            await self._pbx.ask.put_first(caller, rules.returning_priority)
            facts = {"queue": caller.queue, "number": caller.number}
            self._tell([News("put-first", self._now(), facts)])

    def _unknown(self, queue: str) -> News:
        why = f"no such queue on the PBX: mend {queue} in [rules]; it has {', '.join(sorted(self._pbx.queues))}"
        return News("unknown-queue", self._now(), {"queue": queue, "why": why})

    # Ticks

    async def _renew(self) -> None:
        def renew() -> None:
            with self._transaction() as connection:
                lease.renew(connection, self._held)

        await asyncio.to_thread(renew)

    async def _look(self) -> snapshot.Live:
        """Take a picture that nothing unheard of contradicts: what was heard is committed, what ends now is in it."""
        off_s = await asyncio.to_thread(lambda: (self._store.now() - self._now()) / 1e6)
        await self._caught_up()
        return snapshot.look(self._pbx, self._site, self._traffic, off_s, self._now())

    async def _caught_up(self) -> None:
        """Wait until all that was heard so far is digested and committed: only then may anything be decided on it."""
        await self._pbx.level()
        await self._writer.caught_up()

    async def _act(self) -> None:
        """Carry over, then place as many callbacks as may be placed now, each on a fresh picture."""
        seen = await self._look()
        await asyncio.to_thread(self._carry_and_show, seen)
        while not self._stopped.is_set() and asyncio.get_running_loop().time() >= self._places_from_s:
            order = await asyncio.to_thread(self._claim, seen)
            if order is None:
                return
            await self._place(order)
            seen = await self._look()

    def _carry_and_show(self, seen: snapshot.Live) -> None:
        with self._transaction() as connection:
            told: list[News] = []
            if not seen.clock_off:
                told = incidents.tend(Work(connection, self._site, self._now()))
                told += deadlines.check(Work(connection, self._site, self._now()))
            snapshot.store(connection, self._site.pbx, seen, self._now())
            told += self._decided.news(connection)
        self._tell(told)
        self._decided.told()

    def _claim(self, seen: snapshot.Live) -> Order | None:
        try:
            with self._transaction() as connection:
                order, told = claim.next_order(Work(connection, self._site, self._now()), self._held, seen)
        except (IllegalTransition, IntegrityError) as error:
            log.info("somebody was quicker: %s", error)  # a loss that was settled meanwhile, or a person called
            return None
        self._tell(told)
        return order

    async def _place(self, order: Order) -> None:
        """Ask the PBX; a refusal ends the attempt, and no answer leaves it to its ticket.

        A PBX that refuses (it is shutting down, above all) has not come to any trunk, and refuses the next one too.
        """
        try:
            await self._pbx.ask.place(order)
        except PlacingRefused as error:
            log.warning("attempt %s was refused: %s", order.attempt, error)
            self._places_from_s = asyncio.get_running_loop().time() + REFUSED_REST_S
            await self._end(order.attempt, "refused-late", [f"the PBX placed nothing: {error}"])
        except TelephonyError as error:
            log.warning("nobody knows whether attempt %s was placed; its ticket will tell: %s", order.attempt, error)

    async def _tend(self) -> None:
        """Call off attempts whose customer has come back by himself, and resolve those whose end nobody heard."""
        if not self._pbx.ready:
            return
        seen = await self._look()
        rows = await self._read(lambda connection: lanes.in_flight(connection, self._site.pbx))
        for row in resolve.came_back(rows, seen.numbers):
            await self._pbx.ask.call_off(row.id)
        if seen.clock_off:
            return  # whether a phone may still be rung on an attempt's account is a matter of time
        for row in resolve.unattended(rows, self._pbx.own_live(), self._now()):
            await self._resolve(row)

    async def _resolve(self, row: lanes.Flight) -> None:
        """Read the ticket and end the attempt by it; one that cannot be read yet holds up no other."""
        try:
            ticket: Ticket | None = await self._pbx.ask.ticket(row.id)
        except TelephonyError as error:
            log.warning("the ticket of attempt %s cannot be read: %s", row.id, error)
            ticket = None
        await self._caught_up()  # what the events say goes before the ticket
        found = resolve.resolve(row, ticket, self._site.rules.reached_after_s, self._now())
        if found is not None and row.id not in self._pbx.own_live():
            await self._end(row.id, found.outcome, found.evidence, found.steps)
            self._pbx.forget(row.id)

    async def _end(self, attempt: str, outcome: str, evidence: list[str], steps: tuple[StepName, ...] = ()) -> None:
        def ended(connection: Connection) -> list[News]:
            lease.guard(connection, self._held)
            work = Work(connection, self._site, self._now())
            told = [news for step in steps for news in settle.progress(work, attempt, step, work.now)]
            return told + settle.end(work, attempt, outcome, evidence, work.now)

        self._tell(await asyncio.to_thread(self._store.transact, ended))

    async def _anchor(self) -> None:
        """Say where the audit ends: who makes its chain anew cannot make anew what was said outside of the database."""
        rows, digest = await self._read(audit.head)
        self._tell([News("audit-head", self._now(), {"anchor": f"{rows}:{digest}"})])

    async def _learn(self) -> None:
        """See what the last weeks' calls were like: what a callback costs live callers is reckoned from it."""
        await self._read(lambda connection: self._traffic.learn(connection, self._site.pbx, self._now()))

    async def _offer(self) -> None:
        """Let the dialplan offer "press 1 and we call you back" for a while, where that would be kept."""
        seen = await self._look()
        if seen.closed is not None:
            return  # nobody would be called
        await asyncio.to_thread(self._writes)
        for queue in offer.queues(self._site, self._now()):
            await self._pbx.ask.offer(queue, OFFER_LASTS_S)

    async def _owe(self) -> None:
        """Let the dialplan know to whom a callback is owed: who of them calls goes first from the moment he joins."""
        if self._pbx.ready:
            numbers = partial(priorities.numbers, site=self._site)
            await self._returning.keep(lambda: self._read(numbers))

    def _writes(self) -> None:
        """See that the database takes reservations, also when none was made lately; StoreError where it does not."""
        with self._transaction():
            pass

    async def _warn(self) -> None:
        """Say before it is too late which promises will be missed, and how many agents would keep them."""
        seen = await self._look()
        if seen.closed is None:
            crews = forecast.crews(seen.at_work, seen.loads, self._site)
            self._tell(await asyncio.to_thread(self._forecast, crews))

    def _forecast(self, crews: dict[str, Crew]) -> list[News]:
        with self._store.read() as connection:
            seen = forecast.forecasts(Work(connection, self._site, self._now()), crews)
        with self._transaction() as connection:
            return forecast.tell(Work(connection, self._site, self._now()), seen)

    async def _see_texts(self) -> None:
        """Say which texts do not leave, or do not arrive, where that is not their recipients' affair."""
        looked = self._read(lambda connection: self._troubles.look(connection, self._site.pbx, clock(connection)))
        self._tell(await looked)

    async def _text(self) -> None:
        """Send what is due; nobody is texted while he is on the line, nor before we know who is."""
        if self._pbx.ready:
            seen = await self._look()
            await asyncio.to_thread(self._deliver, seen.numbers)

    def _deliver(self, on_the_line: frozenset[str]) -> None:
        with self._transaction() as connection:
            compose.hold_back(Work(connection, self._site, clock(connection)), on_the_line)
        send_due(self._store, self._site, self._gateway, self._senders, self._stopped.is_set, self._ailing)
