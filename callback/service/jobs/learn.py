"""Sees what the last weeks' calls were like: what a callback costs live callers is reckoned from it."""

from __future__ import annotations

from callback.attempts.load import Traffic
from callback.service.transactions import Transactions


class Learn:
    """Every half hour."""

    name, every_s = "learn", 1800.0

    def __init__(self, transactions: Transactions, traffic: Traffic) -> None:
        self._transactions, self._traffic = transactions, traffic

    async def run(self) -> None:
        """Look at them again."""
        await self._transactions.read(lambda work: self._traffic.learn(work.connection, work.pbx, work.now))
