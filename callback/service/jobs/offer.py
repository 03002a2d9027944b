"""Lets the dialplan offer "press 1 and we call you back" for a while, where that would be kept."""

from __future__ import annotations

from callback.attempts import offer
from callback.service.snapshots import Snapshots
from callback.service.transactions import Transactions
from callback.site.work import Work
from telephony.pbx import Pbx

LASTS_S = 20


class Offer:
    """Every five seconds, for the next twenty: where the service ends, or cannot write, offers end by themselves."""

    name, every_s = "offer", 5.0

    def __init__(self, pbx: Pbx, transactions: Transactions, snapshots: Snapshots) -> None:
        self._pbx, self._transactions, self._snapshots = pbx, transactions, snapshots

    async def run(self) -> None:
        """Offer callbacks in each queue in which one that is asked for now would be made."""
        live = await self._snapshots.take()
        if live.closed is not None:
            return  # nobody would be called
        for queue in await self._transactions.renew(self._queues):
            await self._pbx.commands.offer(queue, LASTS_S)

    @staticmethod
    def _queues(work: Work) -> list[str]:
        """Where to offer; the lease is renewed, so that the database is known to take reservations.

        SQLite lets a transaction begin, and hold the right to write, also on a file that it may only read.
        """
        return offer.queues(work.site, work.now)
