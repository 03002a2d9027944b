"""Says where the audit ends, outside of the database."""

from __future__ import annotations

from collections.abc import Callable

from callback.events import AuditHead
from callback.service.transactions import Transactions
from callback.store import audit


class AnchorAudit:
    """Once a day: who makes the audit's chain anew cannot make anew what was said outside of the database."""

    name, every_s = "anchor", 86_400.0

    def __init__(self, transactions: Transactions, tell: Callable[[AuditHead], None]) -> None:
        self._transactions, self._tell = transactions, tell

    async def run(self) -> None:
        """Say how many rows it has, and the hash of the last one."""
        rows, digest = await self._transactions.read(lambda work: audit.head(work.connection))
        self._tell(AuditHead(f"{rows}:{digest}"))
