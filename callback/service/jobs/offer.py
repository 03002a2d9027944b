"""Lets the dialplan offer "press 1 and we call you back" for a while, where that would be kept."""

from __future__ import annotations

from callback.attempts import offer
from callback.service.snapshots import Snapshots
from callback.service.transactions import Transactions
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
        # In a transaction that may write: so the database is seen to take reservations, also when none was made lately
        for queue in await self._transactions.write(lambda work: offer.queues(work.site, work.now)):
            await self._pbx.commands.offer(queue, LASTS_S)
