"""Forgets what happened long ago."""

from __future__ import annotations

from typing import Final

from callback.service.transactions import Transactions
from callback.site.work import Work
from callback.store import feed
from scheduler.clock import DAY

PIECE: Final = 1000


class ForgetEvents:
    """Every ten minutes, piece by piece, so that nobody waits long for the database."""

    name, every_s = "forget_events", 600.0

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def run(self) -> None:
        """Delete the oldest events that have been kept for as long as they are kept."""
        while await self._transactions.write(_forget) == PIECE:
            pass


def _forget(work: Work) -> int:
    return feed.forget(work.connection, work.now - feed.KEPT_DAYS * DAY, PIECE)
