"""Forgets what was kept for long enough, piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from callback.operations.retention import forgetting
from callback.operations.retention.kinds import KINDS, PIECE
from callback.service.transactions import Transactions
from callback.settings.retention import Retention

EVERY_S: Final = 3600.0


class Retain:
    """Every hour; between two pieces others write, and a service that stops meanwhile goes on with what is left."""

    name, every_s = "retain", EVERY_S

    def __init__(self, transactions: Transactions, kept: Retention, forget_overwritten: Callable[[], None]) -> None:
        self._transactions, self._kept = transactions, kept
        self._forget_overwritten = forget_overwritten

    async def run(self) -> None:
        """Forget all that is due, and keep in the audit how much that was."""
        gone: dict[str, int] = {}
        for kind in KINDS:
            more = True
            while more:
                done = await self._transactions.transact(
                    lambda work, it=kind: forgetting.forget(work, it, self._kept)  # type: ignore[misc] # of this turn
                )
                gone[kind.name] = gone.get(kind.name, 0) + done
                more = done == PIECE
        if any(gone.values()):
            await self._transactions.transact(lambda work: forgetting.keep_in_audit(work, gone))
        await asyncio.to_thread(self._forget_overwritten)  # what was erased meanwhile, by people too
