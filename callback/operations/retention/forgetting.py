"""Forget what is too old, a piece at a time, and say beforehand how much that is."""

from __future__ import annotations

from collections.abc import Mapping

from callback.operations.retention.kinds import BY, KINDS, Kind, Old
from callback.settings.retention import Retention
from callback.site.work import Work
from callback.store import audit


def due(work: Work, kept: Retention) -> list[tuple[Kind, int | None, Old]]:
    """Give each kind, from before when it is forgotten (None: kept for good), and how much of it is due."""
    found = []
    for kind in KINDS:
        before = kind.before(kept, work.now)
        found.append((kind, before, Old(0, None) if before is None else kind.due(work.connection, before)))
    return found


def forget(work: Work, kind: Kind, kept: Retention) -> int:
    """Forget the next of a kind, and give how many that were."""
    before = kind.before(kept, work.now)
    return 0 if before is None else kind.forget(work, before)


def keep_in_audit(work: Work, gone: Mapping[str, int]) -> None:
    """Keep how much was forgotten."""
    audit.add(work.connection, work.pbx, BY, audit.RETAINED, None, dict(gone), work.now)
