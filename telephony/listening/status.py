"""Reports to people on a connection while it lasts, each at most once a minute."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

EVERY_S: Final = 60
BEHIND_AFTER_S: Final = 5.0
"""A lag of more seconds is reported."""


class Interval:
    """Tells when something is due that is done every so many seconds, by the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._done_at = seconds, float("-inf")

    def due(self) -> bool:
        """Tell whether it is due; if so, it counts as done."""
        now = time.monotonic()
        due = now - self._done_at >= self._seconds
        self._done_at = now if due else self._done_at
        return due


class StatusReporter:
    """Reports a state and its reason when it changes."""

    def __init__(self, report: Callable[[str, str], None]) -> None:
        self._report = report
        self._reported: dict[str, tuple[int, Interval]] = {}
        self._lag_due, self._behind = Interval(EVERY_S), False

    def report_counts(self, state: str, what: str, counts: Mapping[str, int], more: str = "") -> None:
        """Report counts that have grown."""
        total = sum(counts.values())
        reported, due = self._reported.setdefault(state, (0, Interval(EVERY_S)))
        if total > reported and due.due():
            self._reported[state] = (total, due)
            listed = ", ".join(f"{count} {why}" for why, count in sorted(Counter(counts).items()))
            self._report(state, f"{what}: {listed}{more}")

    def report_lag(self, seconds: float, *, level: bool) -> None:
        """Report a lag, and its end."""
        if seconds > BEHIND_AFTER_S and self._lag_due.due():
            self._behind = True
            self._report("behind", f"{seconds:.0f} s: all is heard and kept, and judged as soon as it can be stored")
        elif self._behind and level:
            self._behind = False
            self._report("level", "all that was heard is judged")
