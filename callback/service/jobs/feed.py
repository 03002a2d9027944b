"""Forgets what happened long ago."""

from __future__ import annotations

from callback.service.transactions import Transactions
from callback.store import feed
from scheduler.clock import DAY


class ForgetEvents:
    """Every ten minutes a piece, so that nobody waits long for the database."""

    name, every_s = "forget_events", 600.0

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def run(self) -> None:
        """Delete the oldest events that have been kept for as long as they are kept."""
        await self._transactions.write(lambda work: feed.forget(work.connection, work.now - feed.KEPT_DAYS * DAY))
