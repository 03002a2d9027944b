"""Makes callbacks of the customers whose day of contact has come."""

from __future__ import annotations

from callback.care import flags
from callback.service.transactions import Transactions


class ReserveFlags:
    """Every thirty seconds; what was due while no service ran is done at the first turn."""

    name, every_s = "reserve_flags", 30.0

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def run(self) -> None:
        """Reserve what is due, some at a time, so that nobody waits long for the database."""
        while await self._transactions.transact(flags.reserve_due) == flags.AT_ONCE:
            pass
