"""Keeps the lease of the PBX: who does not renew it in time has lost it to the next process."""

from __future__ import annotations

from callback.service.transactions import Transactions
from callback.store import lease


class RenewLease:
    """Three times a term; NotOurs when another process has the lease by now."""

    name = "renew"

    def __init__(self, transactions: Transactions, held: lease.Lease) -> None:
        self._transactions, self._held = transactions, held
        self.every_s = held.ttl_s / 3

    async def run(self) -> None:
        """Hold the lease for another term."""
        await self._transactions.renew(lambda _work: None)
