"""After a restore: compares what happened since the backup, once, before anybody is rung or texted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from callback.attempts import lanes
from callback.operations import comparing
from callback.operations.comparing import How, Told
from callback.service.snapshots import Snapshots
from callback.service.transactions import Transactions
from callback.store import restored
from callback.store.restored import Restored
from telephony.dialling.commands import Ticket
from telephony.errors import TelephonyError
from telephony.pbx import Pbx
from telephony.queue_log.between import Log

log = logging.getLogger(__name__)


class Compare:
    """Every second, until it was done; in nearly every life of a service there is nothing to be done."""

    name, every_s = "compare", 1.0

    def __init__(
        self,
        pbx: Pbx,
        queue_log: Log | None,
        transactions: Transactions,
        snapshots: Snapshots,
        reached_after_s: Callable[[], float],
    ) -> None:
        self._pbx, self._log, self._transactions = pbx, queue_log, transactions
        self._snapshots, self._reached_after_s = snapshots, reached_after_s
        self._over = False

    async def run(self) -> None:
        """Wait until the PBX is heard, its log's calls are committed, and attempts in flight were resolved."""
        if self._over or not self._pbx.ready:
            return
        one = await self._transactions.read(lambda work: restored.pending(work.connection, work.pbx))
        if one is None:
            self._over = True
            return
        live = await self._snapshots.take()
        in_flight = await self._transactions.read(lambda work: lanes.in_flight(work.connection, work.pbx))
        if live.clock_off or in_flight:
            return
        told = await self._told(one)
        ends = {placed.attempt: await self._ended(placed.attempt, one) for placed in told.placed}
        if comparing.still_seeks(ends, self._pbx.own_live()):
            return  # it is over within seconds, or its ticket tells that the customer is rung
        past = comparing.past_of(told, ends)
        await self._transactions.write(lambda work: comparing.compare(work, one, past))
        self._over = True

    async def _told(self, one: Restored) -> Told:
        """Read the log, and leave out what the database knows of."""
        told = await asyncio.to_thread(comparing.told_by, self._log, one.backup_at, self._transactions.now())
        attempts = [placed.attempt for placed in told.placed]
        known = await self._transactions.read(lambda work: comparing.known_attempts(work, attempts))
        return replace(told, placed=tuple(placed for placed in told.placed if placed.attempt not in known))

    async def _ended(self, attempt: str, one: Restored) -> How:
        try:
            ticket: Ticket | None = await self._pbx.commands.ticket(attempt)
        except TelephonyError as error:
            log.warning("the ticket of attempt %s cannot be read: %s", attempt, error)
            ticket = None
        return comparing.ended(ticket, one, self._reached_after_s())
