"""Keeps on the PBX to whom a callback is owed: whoever of them calls goes first from joining the queue on."""

from __future__ import annotations

from callback.attempts import priority
from callback.service.transactions import Transactions
from callback.site.work import Work
from telephony.pbx import Pbx


class KeepPriority:
    """Every two seconds at most, while the PBX is there to be told."""

    name, every_s = "owe", 2.0

    def __init__(self, pbx: Pbx, transactions: Transactions) -> None:
        self._pbx, self._transactions = pbx, transactions
        self._returning = priority.Returning(pbx)

    async def run(self) -> None:
        """Tell the PBX what changed."""
        if self._pbx.ready:
            await self._returning.keep(self._owed)

    async def _owed(self) -> priority.Owed:
        return await self._transactions.read(_owed)


def _owed(work: Work) -> priority.Owed:
    return priority.Owed(priority.numbers(work.connection, work.site), work.site.rules.returning_priority)
