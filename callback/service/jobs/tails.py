"""Gives numbers that were known before there were tails theirs, so that they too are found by their last digits."""

from __future__ import annotations

from typing import Final

from callback.customers import persons
from callback.service.transactions import Transactions

PIECE: Final = 1000


class FillTails:
    """Every five seconds a piece, from the first person to the last; then nothing until the next start."""

    name, every_s = "fill_tails", 5.0

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._after: int | None = 0

    async def run(self) -> None:
        """Look at the next persons."""
        after = self._after
        if after is not None:
            self._after = await self._transactions.write(lambda work: persons.fill_tails(work.connection, after, PIECE))
