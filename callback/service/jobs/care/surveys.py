"""Asks customers about calls that were served, and does what cases ask for."""

from __future__ import annotations

from typing import Final

from callback.care import callbacks, served, tending
from callback.service.transactions import Transactions
from callback.site.work import Work
from callback.store.feed import AT_ONCE, Reader
from callback.texts import asking

PAGES: Final = 4
"""Pages of the feed that are read in one turn: what is left waits for the next, and so do the questions."""


class AskServed:
    """Every few seconds; lost callers' texts leave before these, and one page is one short transaction."""

    name, every_s = "ask_served", 3.0

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._reader: Reader | None = None

    async def run(self) -> None:
        """Ask about what was served since the last turn."""
        for _ in range(PAGES):
            try:
                read = await self._transactions.write(self._ask)
            except BaseException:
                self._reader = None  # what it read was not kept: it reads that again
                raise
            if read < AT_ONCE:
                return

    def _ask(self, work: Work) -> int:
        asking.take_back_late(work)
        if self._reader is None or not served.is_asked(work.site):
            self._reader = served.begin(work)
        return 0 if self._reader is None else served.ask(work, self._reader)


class TendCases:
    """Every two seconds: callbacks of cases that ended, answers to be confirmed, clocks that run out."""

    name, every_s = "tend_cases", 2.0

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def run(self) -> None:
        """Do it."""
        while await self._transactions.transact(tending.tend) == callbacks.AT_ONCE:
            pass
