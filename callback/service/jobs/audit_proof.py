"""Proves the audit's chain bit by bit, so that a page need not read the whole to say that it is whole."""

from __future__ import annotations

import logging
from typing import Final

from callback.service.transactions import Transactions
from callback.store import audit_proof

log = logging.getLogger(__name__)

PIECE: Final = 500  # rows


class ProveAudit:
    """Every ten seconds a piece; what is broken is said once in the log, and on the page until it is found whole."""

    name, every_s = "prove_audit", 10.0

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._told: str | None = None

    async def run(self) -> None:
        """Read the next rows."""
        proof = await self._transactions.write(lambda work: audit_proof.go_on(work.connection, work.now, PIECE))
        if proof.broken is not None and proof.broken != self._told:
            log.error("the audit was tampered with: its chain is broken at %s", proof.broken)
        self._told = proof.broken
