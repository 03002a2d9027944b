"""The work of the one process that holds the lease of a PBX: the place where the parts are joined that need the PBX.

What the PBX says goes to the committer, which commits it in order. The jobs decide, place and resolve, each only when
what was heard so far is committed. All of it runs its short transactions in worker threads, so that the loop goes on
reading what the PBX says. What can be done without the PBX is the other worker's (`texting/worker.py`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from callback.attempts import snapshot
from callback.attempts.load import Traffic
from callback.cluster.wiring import ALONE, Cluster
from callback.errors import NotOurs
from callback.events import (
    LeaseLost,
    PbxBehind,
    PbxDown,
    PbxJournalFull,
    PbxLevel,
    PbxRefused,
    PbxStrangers,
    PbxUp,
    RulesConflict,
    Started,
    UnknownQueue,
)
from callback.logs.failing import Failing
from callback.operations.vitals import Listening
from callback.reservations import promises, switched_on
from callback.service.alerts import Alerts
from callback.service.arrivals import Arrivals
from callback.service.commit_process import CommitProcess, Task
from callback.service.committer import Committer
from callback.service.event_log import EventLog
from callback.service.jobs.care.campaigns import TellCallers
from callback.service.jobs.care.samples import AskSamples
from callback.service.jobs.decisions import ApplyDecisions
from callback.service.jobs.dispatch import Dispatch
from callback.service.jobs.forecast import Forecast
from callback.service.jobs.job import Job, Jobs
from callback.service.jobs.learn import Learn
from callback.service.jobs.lease import RenewLease
from callback.service.jobs.line import KeepLine, WatchOthers
from callback.service.jobs.offer import Offer
from callback.service.jobs.priority import KeepPriority
from callback.service.jobs.resolve import Resolve
from callback.service.keeping.compare import Compare
from callback.service.outage import Outage
from callback.service.snapshots import Snapshots
from callback.service.transactions import Transactions
from callback.service.watching.deaths import Deaths
from callback.service.watching.listening import told
from callback.service.watching.pulse import Pulse
from callback.service.watching.troubles import WatchSite
from callback.service.wiring import wiring_of
from callback.settings.sections import Settings
from callback.site.context import Sites, take_over
from callback.site.rule_versions import conflict
from callback.site.work import Work
from callback.store import checkpoints, keys, lease, restored
from callback.store.engine import Store
from callback.texts.send import two_way_of
from telephony.listening.journal import Journal
from telephony.pbx import Consumer, LastRun, Pbx, WaitingCaller
from telephony.tasks import together

log = logging.getLogger(__name__)

_STATES: Final = {
    "up": PbxUp,
    "down": PbxDown,
    "journal-full": PbxJournalFull,
    "refused": PbxRefused,
    "behind": PbxBehind,
    "level": PbxLevel,
    "strangers": PbxStrangers,
}


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to listen: the journal that only we write, and the lease of the PBX."""

    journal: Journal
    held: lease.Lease


class Worker:
    """Listens to one PBX, commits what it says, and runs the jobs, until `stopped` is set or the lease is lost."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        turn: Turn,
        events: EventLog,
        now: Callable[[], int],
        stopped: asyncio.Event,
        pulse: Pulse,
    ) -> None:
        self._now, self._stopped, self._pulse = now, stopped, pulse
        self._events, self._tell = events, events.tell
        journal, held = turn.journal, turn.held
        self._journal = journal
        wiring, began = settings.pbx, now()
        self._alerts = Alerts(settings.alarms, wiring.name, events.narrator.sentence, self._tell)
        events.listen(lambda happened: self._alerts.take(events.narrator.shown(happened)))
        events.begin()
        self._keys = keys.take_out(store)
        two_way = two_way_of(settings)  # loads the gateway: not while a transaction, and with it the lease, waits
        with store.write() as connection:
            lease.guard(connection, held)
            take_over(connection, settings, began)
            self._sites = Sites(settings, two_way)
            journal_id, offset = checkpoints.begin(connection, wiring.name, journal.id, began)
            seen = snapshot.recall(connection, wiring.name)
            first_start = checkpoints.first_start(connection, wiring.name)
            work = Work(connection, self._sites.at(connection, began), began)
            if differing := conflict(connection, settings, began):
                work.tell(RulesConflict([one.key for one in differing], work.site.version))
            restored.begin(connection, wiring.name, seen[0].boot if seen else "", began)
            promises.adopt(work)
            switched_on.begin(work)
        heard_at = (seen[0].heard_at if seen else None) or (first_start if first_start < began else None)
        self._hear_from = self._committed_until = journal.resume(journal_id, offset)
        self._why_not = "it has just begun"
        self._outage = Outage()
        self._commit_process = CommitProcess(
            [Task(settings, held, journal.id)], self._tell, Deaths("commit", self._tell, pulse.child)
        )
        parts = (store, self._sites, held, journal.id, now, self._committed)
        self._committer = Committer(*parts, elsewhere=self._commit_process.commit)
        transactions, traffic = Transactions(store, self._sites, held, now, events.wake), Traffic(began)
        pbx_wiring = wiring_of(settings, self._sites)
        self._pbx = Pbx(
            pbx_wiring,
            journal,
            lambda: self._sites.last.rules.reached_after_s,
            Consumer(self._committer.put, self._on_state, lambda: self._committer.room, self._joins),
            LastRun(seen[0].boot if seen else "", heard_at, seen[0].newest if seen else ""),
        )
        failing, pbx, site = Failing(log), self._pbx, self._sites
        self._arrivals = Arrivals(pbx, site, traffic, transactions, now, self._tell)
        snapshots = Snapshots(pbx, self._committer, store, site, traffic, now)
        jobs: list[Job] = [
            RenewLease(transactions, held),
            Dispatch(pbx, held, transactions, snapshots, stopped),
            Resolve(pbx, site, transactions, snapshots, now),
            Compare(pbx, pbx_wiring.log, transactions, snapshots, lambda: site.last.rules.reached_after_s),
            KeepLine(pbx, transactions, snapshots),
            WatchOthers(transactions, self._tell),
            Offer(pbx, transactions, snapshots),
            TellCallers(pbx, transactions),
            Forecast(transactions, snapshots),
            Learn(transactions, traffic),
            KeepPriority(pbx, transactions),
            ApplyDecisions(transactions),
            AskSamples(transactions),
            WatchSite(transactions),
        ]
        self._jobs = Jobs(jobs, failing)
        pulse.suffers(failing)
        self._cluster = ALONE

    def share(self, cluster: Cluster) -> None:
        """Act at once on what other processes decide, and let them know what is committed here; before `run`."""
        self._cluster = cluster
        cluster.doorbell.on("decided", partial(self._jobs.soon, Dispatch.name))
        cluster.doorbell.on("feed", self._events.wake)

    async def run(self) -> None:
        """Replay what was not committed, then listen, commit and run the jobs until stopped."""
        self._tell(Started(self._pbx.name, self._hear_from))
        for event in self._keys:
            self._tell(event)
        self._pulse.listening = self._heard
        try:
            parts = (
                self._listen(),
                self._committer.run(),
                self._commit_process.run(),
                self._alerts.run(),
                self._jobs.run(),
            )
            await together(*parts, self._stop_asked())
        except NotOurs as error:
            await asyncio.to_thread(self._events.leave)
            self._tell(LeaseLost(self._pbx.name, str(error)))
            raise
        finally:
            self._pulse.listening = None
            await asyncio.to_thread(self._events.flush)
            await self._alerts.drain()

    async def _listen(self) -> None:
        for heard in self._pbx.recall(self._hear_from):
            await self._committer.put(heard)
        await self._pbx.run()

    def _committed(self, checkpoint: int) -> None:
        self._committed_until = checkpoint
        self._journal.forget_before(checkpoint)
        self._events.wake()
        self._cluster.told()  # the process that commits has no doorbell of its own

    def _heard(self) -> Listening:
        return told(self._pbx, self._journal, self._committer, self._committed_until, self._why_not)

    async def _joins(self, caller: WaitingCaller) -> None:
        await self._arrivals.joins(caller)

    async def _stop_asked(self) -> None:
        await self._stopped.wait()

    def _on_state(self, state: str, why: str) -> None:
        self._why_not = why if state in {"down", "journal-full"} else self._why_not
        facts = self._outage.facts(state, why, self._now())
        if facts:
            self._tell(_STATES[state](self._pbx.name, **facts))
        if state == "up":
            for queue in self._sites.last.rules.named():
                if queue not in self._pbx.queues:
                    self._tell(self._unknown(queue))

    def _unknown(self, queue: str) -> UnknownQueue:
        why = f"no such queue on the PBX: mend {queue} in [rules]; it has {', '.join(sorted(self._pbx.queues))}"
        return UnknownQueue(queue, why)
