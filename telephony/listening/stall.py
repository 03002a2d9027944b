"""Whether this process, or the network before it, stood still lately: what is read then is old.

A process is stopped, swapped out, or its machine sleeps; a network loses packets for seconds, and sends them again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

HICCUP_S: Final = 0.5  # an event loop that is busy, and a network, are late by less
CATCHES_UP_S: Final = 3.0  # so long after it went on, what it reads may still be from meanwhile


class Stall:
    """Notices by a tick that comes late that the process stood still. Both clocks count: one stands still with it.

    That the network did, it notices by the stamp of the first event that comes after a silence. The stamp may be a
    caller's work: it is believed only for a time in which nothing came.
    """

    def __init__(
        self,
        every_s: float,
        steady: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._every_s, self._steady, self._wall = every_s, steady, wall
        self._ticked: tuple[float, float] | None = None
        self._lasted_s, self._until = 0.0, steady()

    def tick(self) -> None:
        """Tell that the process is at work; due every `every_s` from the first time on."""
        self._look()
        self._ticked = (self._steady(), self._wall())

    def reads(self, old_s: float, silent_s: float) -> None:
        """Tell how old the first event is that came after such a silence."""
        if HICCUP_S < old_s < silent_s + HICCUP_S:
            self._lasted_s, self._until = old_s, self._steady() + CATCHES_UP_S

    def behind_s(self) -> float:
        """How old what is read now may be, because the process stood still; 0 where it did not."""
        self._look()
        return self._lasted_s if self._steady() < self._until else 0.0

    def _look(self) -> None:
        if self._ticked is None:
            return
        steady, wall = self._steady(), self._wall()
        late_s = max(steady - self._ticked[0], wall - self._ticked[1]) - self._every_s
        if late_s > HICCUP_S:
            self._lasted_s, self._until = late_s, steady + CATCHES_UP_S
