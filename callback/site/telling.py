"""What a person decided is kept in the audit, and told in the feed, in the transaction of the decision."""

from __future__ import annotations

from typing import Any

from callback.events import Decided
from callback.site.work import Work
from callback.store import audit
from callback.store.audit import By


def tell(work: Work, by: By, action: str, facts: dict[str, Any], reservation: int | None = None) -> None:
    """Keep and tell that this was decided; no word of a customer stands in the facts, for both are kept."""
    audit.add(work.connection, work.pbx, by, action, reservation, facts, work.now)
    work.tell(Decided(action, by.who, by.why, reservation, facts))
