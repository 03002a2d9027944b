"""Sees to attempts in flight: calls off those that nobody needs any more, and ends those whose end nobody heard."""

from __future__ import annotations

import logging
from collections.abc import Callable

from callback.attempts import lanes, resolve
from callback.service.jobs.ending import end
from callback.service.snapshots import Snapshots
from callback.service.transactions import Transactions
from callback.site.context import Sites
from telephony.dialling.commands import Ticket
from telephony.errors import TelephonyError
from telephony.pbx import Pbx

log = logging.getLogger(__name__)


class Resolve:
    """Every second, while the PBX is there to be asked."""

    name, every_s = "tend", 1.0

    def __init__(
        self, pbx: Pbx, sites: Sites, transactions: Transactions, snapshots: Snapshots, now: Callable[[], int]
    ) -> None:
        self._pbx, self._sites = pbx, sites
        self._transactions, self._snapshots, self._now = transactions, snapshots, now

    async def run(self) -> None:
        """Call off attempts whose customer calls in meanwhile, and resolve those whose end nobody heard."""
        if not self._pbx.ready:
            return
        live = await self._snapshots.take()
        in_flight = await self._transactions.read(lambda work: lanes.in_flight(work.connection, work.pbx))
        for flight in resolve.came_back(in_flight, live.numbers):
            await self._pbx.commands.call_off(flight.id)
        if live.clock_off:
            return  # whether a phone may still be rung on an attempt's account is a matter of time
        for flight in resolve.unattended(in_flight, self._pbx.own_live(), self._now()):
            await self._resolve(flight)

    async def _resolve(self, flight: lanes.Flight) -> None:
        """Read the ticket and end the attempt by it; one that cannot be read yet holds up no other."""
        try:
            ticket: Ticket | None = await self._pbx.commands.ticket(flight.id)
        except TelephonyError as error:
            log.warning("the ticket of attempt %s cannot be read: %s", flight.id, error)
            ticket = None
        await self._snapshots.caught_up()  # what the events say goes before the ticket
        found = resolve.resolve(flight, ticket, self._sites.last.rules.reached_after_s, self._now())
        if found is not None and flight.id not in self._pbx.own_live():
            await end(self._transactions, flight.id, found.outcome, found.evidence, found.steps)
            self._pbx.forget(flight.id)
