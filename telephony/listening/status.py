"""What people ought to know of a connection while it lasts, each thing at most once a minute."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

EVERY_S: Final = 60
BEHIND_AFTER_S: Final = 5.0
"""A lag of more seconds is told."""


class Every:
    """A thing that is done once in so many seconds, whatever the wall clock does."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._done_at = seconds, float("-inf")

    def due(self) -> bool:
        """Tell whether it is time again; if so, it counts as done."""
        now = time.monotonic()
        due = now - self._done_at >= self._seconds
        self._done_at = now if due else self._done_at
        return due


class Telling:
    """Tells a state and why, where there is news of it."""

    def __init__(self, tell: Callable[[str, str], None]) -> None:
        self._tell = tell
        self._told: dict[str, tuple[int, Every]] = {}
        self._lag_due, self._behind = Every(EVERY_S), False

    def counted(self, state: str, what: str, counts: Mapping[str, int], more: str = "") -> None:
        """Tell counts that have grown."""
        total = sum(counts.values())
        told, due = self._told.setdefault(state, (0, Every(EVERY_S)))
        if total > told and due.due():
            self._told[state] = (total, due)
            listed = ", ".join(f"{count} {why}" for why, count in sorted(Counter(counts).items()))
            self._tell(state, f"{what}: {listed}{more}")

    def lag(self, seconds: float, *, level: bool) -> None:
        """Tell a lag, and its end."""
        if seconds > BEHIND_AFTER_S and self._lag_due.due():
            self._behind = True
            self._tell("behind", f"{seconds:.0f} s: all is heard and kept, and judged as soon as it can be stored")
        elif self._behind and level:
            self._behind = False
            self._tell("level", "all that was heard is judged")
