"""The work that needs no PBX: texts and webhooks leave, and the database is kept in order.

One process of a site does it at a time, by a lease of its own: the one that listens, or one on another host. What it
must know of the PBX, who is on the line, it knows from what the process that listens keeps (`cluster/line.py`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from callback.cluster.wiring import Cluster
from callback.logs.failing import Failing
from callback.service.event_log import EventLog
from callback.service.jobs.audit_anchor import AnchorAudit
from callback.service.jobs.audit_proof import ProveAudit
from callback.service.jobs.care.campaigns import TellCampaigns
from callback.service.jobs.care.flags import ReserveFlags
from callback.service.jobs.care.letters import SendLetters
from callback.service.jobs.care.surveys import AskServed, TendCases
from callback.service.jobs.care.weekly import ReportToDepartments
from callback.service.jobs.decisions import ForgetBatches
from callback.service.jobs.feed import ForgetEvents
from callback.service.jobs.job import Job, Jobs
from callback.service.jobs.lease import RenewLease
from callback.service.jobs.line import ForgetLines
from callback.service.jobs.rollups import RollUp
from callback.service.jobs.tails import FillTails
from callback.service.jobs.waits import SampleWaits
from callback.service.jobs.webhooks import ForgetForPrograms, SendWebhooks
from callback.service.keeping.retain import Retain
from callback.service.texting.jobs import SendTexts, TellTextTroubles
from callback.service.texting.troubles import TextTroubles
from callback.service.transactions import Transactions, as_before
from callback.service.watching.tallies import CountEvents
from callback.service.watching.troubles import WatchSite
from callback.service.webhooks.courier import Courier
from callback.service.webhooks.sender import Sender
from callback.settings.sections import Settings
from callback.site.context import Sites
from callback.store import lease
from callback.store.engine import Store
from callback.texts.send import send_due
from sms.gateway import Gateway
from telephony.tasks import together

log = logging.getLogger(__name__)


class TextWorker:
    """Sends texts, tells programs and keeps the database in order, until `stopped` is set or the lease is lost.

    StoreError where nobody has listened to this PBX yet: then there are no rules to act by.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        held: lease.Lease,
        events: EventLog,
        gateway: Gateway,
        now: Callable[[], int],
        stopped: asyncio.Event,
    ) -> None:
        self._gateway, self._stopped = gateway, stopped
        sites, failing = Sites(settings, gateway.two_way), Failing(log)
        with store.read() as connection:
            sites.at(connection, now())
        transactions = Transactions(store, sites, held, now, events.wake, as_before)
        send = partial(send_due, store, sites, gateway, settings.texts, stopped.is_set, failing)
        self._letters = SendLetters(transactions, settings.mail, failing)
        self._courier = Courier(transactions, Sender(settings.webhooks.allowed_hosts), failing)
        jobs: list[Job] = [
            RenewLease(transactions, held),
            SendTexts(transactions, send),
            TellCampaigns(transactions),
            AskServed(transactions),
            TendCases(transactions),
            TellTextTroubles(transactions, TextTroubles(gateway), events.tell),
            SendWebhooks(transactions, self._courier),
            self._letters,
            ForgetForPrograms(transactions),
            AnchorAudit(transactions, events.tell),
            ProveAudit(transactions),
            ForgetEvents(transactions),
            ForgetBatches(transactions),
            ForgetLines(transactions),
            FillTails(transactions),
            ReserveFlags(transactions),
            ReportToDepartments(transactions),
            SampleWaits(transactions),
            CountEvents(transactions),
            WatchSite(transactions),
            RollUp(transactions),
            Retain(transactions, settings.retention, store.forget_overwritten),
        ]
        self._jobs = Jobs(jobs, failing)
        self.failing = failing
        self._stack = ExitStack()

    def share(self, cluster: Cluster) -> None:
        """Do at once what other processes decided, and tell programs what they committed; before `run`."""
        self._stack.callback(cluster.doorbell.on("decided", partial(self._jobs.soon, SendTexts.name)))
        self._stack.callback(cluster.doorbell.on("feed", partial(self._jobs.soon, SendWebhooks.name)))

    async def run(self) -> None:
        """Do it; NotOurs when another process has the lease."""
        try:
            await together(self._jobs.run(), self._stop_asked())
        finally:
            self._stack.close()
            await self._courier.close()
            await self._letters.close()
            await self._gateway.close()

    async def _stop_asked(self) -> None:
        await self._stopped.wait()
