"""Callbacks of cases that ended: each goes on as its purpose asks."""

from __future__ import annotations

from callback.care import callbacks, repair
from callback.site.work import Work
from callback.store import restored


def tend(work: Work) -> int:
    """See how callbacks of cases ended, some at a time; give how many there were."""
    if restored.pending(work.connection, work.pbx) is not None:
        return 0
    ended = callbacks.ended(work)
    for one in ended:
        if one.purpose == "repair":
            repair.called(work, one)
    return len(ended)
