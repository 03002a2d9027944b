"""Calls back those who were drawn for a campaign's sample, as the time of each comes."""

from __future__ import annotations

from callback.campaigns import asking
from callback.service.transactions import Transactions
from callback.site.work import Work
from callback.store import restored


class AskSamples:
    """Every 15 seconds; few at a time, for those who are owed a callback are dialled by the same agents."""

    name, every_s = "ask_samples", 15.0

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def run(self) -> None:
        """Leave those blank whom nobody reached, and reserve the next."""
        while await self._transactions.transact(asking.settle_unreached) == asking.AT_ONCE:
            pass
        await self._transactions.transact(_reserve)


def _reserve(work: Work) -> None:
    """Nothing is reserved while it is compared what a restored database missed."""
    if restored.pending(work.connection, work.pbx) is None:
        asking.reserve_due(work)
