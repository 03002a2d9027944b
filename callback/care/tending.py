"""What the service does for cases by itself: callbacks that ended go on by their purpose, clocks do what is due."""

from __future__ import annotations

from callback.care import callbacks, clocks, follow_up, repair
from callback.site.work import Work
from callback.store import restored


def tend(work: Work) -> int:
    """See how callbacks of cases ended, and do what clocks ask for, some at a time; give how many there were."""
    if restored.pending(work.connection, work.pbx) is not None:
        return 0
    ended = callbacks.ended(work)
    for one in ended:
        if one.purpose == "repair":
            repair.called(work, one)
        else:
            follow_up.called(work, one)
    return max(len(ended), clocks.tend(work))
