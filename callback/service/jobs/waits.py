"""Looks every ten seconds for what callbacks wait, so that each broken promise can be told with its cause."""

from __future__ import annotations

from typing import Final

from callback.reports.queue import waits as waiting
from callback.reports.queue.waits import Waits
from callback.reservations import waits
from callback.service.transactions import Transactions
from callback.site.work import Work
from scheduler.clock import SECOND

MOST_S: Final = 30
"""More than that since the last look was seen by nobody, and is told so."""


class SampleWaits:
    """Looks outside of the transaction that adds it up, which is short: one row for each that waits."""

    name, every_s = "sample_waits", 10.0

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._looked_at: int | None = None

    async def run(self) -> None:
        """Look once, and add what has gone by since the last time."""
        looked_at, seen = await self._transactions.read(lambda work: (work.now, waiting.look(work)))
        gone_s = self.every_s if self._looked_at is None else (looked_at - self._looked_at) / SECOND
        self._looked_at = looked_at
        seconds = round(min(max(gone_s, 0.0), MOST_S))
        await self._transactions.transact(lambda work: _add(work, seen, seconds))


def _add(work: Work, seen: Waits, seconds: int) -> None:
    waits.add(work, seen.words, seconds)
    waits.keep_crews(work, seen.crews)
