"""One change of accounts: a transaction, who decides it and why, and the moment that counts as now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from callback.store import audit
from callback.store.audit import By


@dataclass(frozen=True, slots=True)
class Change:
    """What every function gets that changes accounts; `now` in microseconds UTC."""

    connection: Connection
    pbx: str
    by: By
    now: int

    def audit(self, action: str, **facts: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
        """Add to the audit, in this transaction, what was decided. No password and no key is among the facts."""
        audit.add(self.connection, self.pbx, self.by, action, None, facts, self.now)
