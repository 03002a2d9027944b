"""The work of the one process that holds the lease of a PBX: the only place where its parts are joined.

What the PBX says goes through the writer, which commits it in order. The jobs decide, place, resolve and text, each
only when what was heard so far is committed. All of it runs its short transactions in worker threads, so that the loop
goes on reading what the PBX says.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from callback.attempts import snapshot
from callback.attempts.load import Traffic
from callback.errors import NotOurs
from callback.events import News
from callback.logs.failing import Ailing
from callback.reservations import switched_on
from callback.service import elsewhere
from callback.service.alerts import Bell
from callback.service.arrivals import Arrivals
from callback.service.commit_process import CommitProcess, Task
from callback.service.committer import Writer
from callback.service.jobs.audit_anchor import AnchorAudit
from callback.service.jobs.dispatch import Dispatch
from callback.service.jobs.forecast import Forecast
from callback.service.jobs.job import Job, Jobs
from callback.service.jobs.learn import Learn
from callback.service.jobs.lease import RenewLease
from callback.service.jobs.offer import Offer
from callback.service.jobs.priority import KeepPriority
from callback.service.jobs.resolve import Resolve
from callback.service.jobs.texts import SendTexts, TellTextTroubles
from callback.service.narrator import Narrator
from callback.service.outage import Outage
from callback.service.snapshots import Snapshots
from callback.service.text_troubles import Troubles
from callback.service.transactions import Transactions
from callback.service.wiring import wiring_of
from callback.settings.sections import Settings
from callback.site.context import Site, take_over
from callback.site.work import Work
from callback.store import checkpoints, keys, lease
from callback.store.engine import Store
from callback.texts.send import send_due
from sms.gateway import Gateway
from telephony.listening.journal import Journal
from telephony.pbx import Consumer, LastRun, Pbx, WaitingCaller
from telephony.tasks import together

log = logging.getLogger(__name__)


class Worker:
    """Listens to one PBX, commits what it says, and runs the jobs, until `stopped` is set or the lease is lost."""

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
        self._narrator, self._now, self._stopped = narrator, now, stopped
        wiring, began = settings.pbx, now()
        self._bell = Bell(settings.alarms, wiring.name, narrator.sentence, narrator.tell, now)
        self._keys = keys.take_out(store, began)
        with store.write() as connection:
            lease.guard(connection, held)
            self._site: Site = take_over(connection, settings, began, gateway.two_way)
            journal_id, offset = checkpoints.begin(connection, wiring.name, journal.id, began)
            seen = snapshot.recall(connection, wiring.name)
            first_start = checkpoints.first_start(connection, wiring.name)
            self._switched = switched_on.begin(Work(connection, self._site, began))
            decided = elsewhere.Decided(connection, wiring.name)
        heard_at = (seen[0].heard_at if seen else None) or (first_start if first_start < began else None)
        self._hear_from = journal.resume(journal_id, offset)
        self._outage = Outage()
        self._commit_process = CommitProcess([Task(settings, self._site.version, held, journal.id)], self._tell)
        parts = (store, self._site, held, journal.id, now, self._tell, journal.forget_before)
        self._writer = Writer(*parts, elsewhere=self._commit_process.commit)
        transactions, traffic = Transactions(store, self._site, held, now, self._tell), Traffic(began)
        self._pbx = Pbx(
            wiring_of(settings),
            journal,
            self._site.rules.reached_after_s,
            Consumer(self._writer.put, self._on_state, lambda: self._writer.room, self._joins),
            LastRun(seen[0].boot if seen else "", heard_at, seen[0].newest if seen else ""),
        )
        ailing, pbx, site = Ailing(log), self._pbx, self._site
        self._arrivals = Arrivals(pbx, site, traffic, transactions, now, self._tell)
        snapshots = Snapshots(pbx, self._writer, store, site, traffic, now)
        send = partial(send_due, store, site, gateway, settings.texts.senders, stopped.is_set, ailing)
        jobs: list[Job] = [
            RenewLease(transactions, held),
            Dispatch(pbx, held, transactions, snapshots, decided, stopped),
            Resolve(pbx, site, transactions, snapshots, now),
            SendTexts(pbx, transactions, snapshots, send),
            Offer(pbx, transactions, snapshots),
            Forecast(transactions, snapshots),
            TellTextTroubles(transactions, Troubles(gateway), self._tell),
            Learn(transactions, traffic),
            KeepPriority(pbx, site, transactions),
            AnchorAudit(transactions, self._tell),
        ]
        self._jobs = Jobs(jobs, ailing)

    async def run(self) -> None:
        """Hear again what was not committed, then listen, commit and run the jobs until stopped."""
        self._tell([News("started", self._now(), {"pbx": self._pbx.name, "journal_from": self._hear_from})])
        self._tell([*self._keys, *self._switched])
        try:
            parts = (self._listen(), self._writer.run(), self._commit_process.run(), self._bell.run(), self._jobs.run())
            await together(*parts, self._stop_asked())
        except NotOurs as error:
            self._tell([News("lease-lost", self._now(), {"pbx": self._pbx.name, "why": str(error)})])
            raise
        finally:
            await self._bell.drain()
        self._tell([News("stopped", self._now())])

    async def _listen(self) -> None:
        for heard in self._pbx.recall(self._hear_from):
            await self._writer.put(heard)
        await self._pbx.run()

    async def _joins(self, caller: WaitingCaller) -> None:
        await self._arrivals.joins(caller)

    async def _stop_asked(self) -> None:
        await self._stopped.wait()

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

    def _unknown(self, queue: str) -> News:
        why = f"no such queue on the PBX: mend {queue} in [rules]; it has {', '.join(sorted(self._pbx.queues))}"
        return News("unknown-queue", self._now(), {"queue": queue, "why": why})
