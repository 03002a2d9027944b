"""Sees to attempts in flight: calls off those that nobody needs any more, and ends those whose end nobody heard."""

from __future__ import annotations

import logging
from collections.abc import Callable

from callback.attempts import lanes, resolve
from callback.service.jobs.ending import end
from callback.service.snapshots import Snapshots
from callback.service.transactions import Transactions
from callback.site.context import Site
from telephony.dialling.commands import Ticket
from telephony.errors import TelephonyError
from telephony.pbx import Pbx

log = logging.getLogger(__name__)


class Resolve:
    """Every second, while the PBX is there to be asked."""

    name, every_s = "tend", 1.0

    def __init__(
        self, pbx: Pbx, site: Site, transactions: Transactions, snapshots: Snapshots, now: Callable[[], int]
    ) -> None:
        self._pbx, self._reached_after_s = pbx, site.rules.reached_after_s
        self._transactions, self._snapshots, self._now = transactions, snapshots, now

    async def run(self) -> None:
        """Call off attempts whose customer calls in meanwhile, and resolve those whose end nobody heard."""
        if not self._pbx.ready:
            return
        live = await self._snapshots.take()
        rows = await self._transactions.read(lambda work: lanes.in_flight(work.connection, work.pbx))
        for row in resolve.came_back(rows, live.numbers):
            await self._pbx.commands.call_off(row.id)
        if live.clock_off:
            return  # whether a phone may still be rung on an attempt's account is a matter of time
        for row in resolve.unattended(rows, self._pbx.own_live(), self._now()):
            await self._resolve(row)

    async def _resolve(self, row: lanes.Flight) -> None:
        """Read the ticket and end the attempt by it; one that cannot be read yet holds up no other."""
        try:
            ticket: Ticket | None = await self._pbx.commands.ticket(row.id)
        except TelephonyError as error:
            log.warning("the ticket of attempt %s cannot be read: %s", row.id, error)
            ticket = None
        await self._snapshots.caught_up()  # what the events say goes before the ticket
        found = resolve.resolve(row, ticket, self._reached_after_s, self._now())
        if found is not None and row.id not in self._pbx.own_live():
            await end(self._transactions, row.id, found.outcome, found.evidence, found.steps)
            self._pbx.forget(row.id)
