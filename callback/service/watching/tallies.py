"""Counts what happened, for metrics: each event once, over restarts and on all nodes."""

from __future__ import annotations

from callback.operations.metrics import counting
from callback.service.transactions import Transactions


class CountEvents:
    """Counts what the feed has got since the last time; of much, a part each time."""

    name = "count events"
    every_s = 2.0

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def run(self) -> None:
        """Count it."""
        await self._transactions.write(lambda work: counting.count(work.connection, work.now))
