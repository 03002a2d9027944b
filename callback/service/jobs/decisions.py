"""Does what people decided once it can be undone no more, and forgets how it was before that."""

from __future__ import annotations

from callback.decisions import pending
from callback.service.transactions import Transactions


class ApplyDecisions:
    """Every second; what was due while no service ran is done at the first turn."""

    name, every_s = "apply_decisions", 1.0

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def run(self) -> None:
        """Close what is due, some at a time, so that nobody waits long for the database."""
        while await self._transactions.transact(pending.settle) == pending.AT_ONCE:
            pass


class ForgetBatches:
    """Every ten minutes; the audit keeps for good what was decided."""

    name, every_s = "forget_batches", 600.0

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def run(self) -> None:
        """Delete the oldest, some at a time."""
        while await self._transactions.transact(pending.forget) == pending.AT_ONCE:
            pass
