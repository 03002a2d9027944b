"""Whether this process stood still lately: stopped, swapped out, on a machine that slept. What it reads then is old."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

HICCUP_S: Final = 0.5  # an event loop that is busy is late by less
CATCHES_UP_S: Final = 3.0  # so long after it went on, what it reads may still be from meanwhile


class Stall:
    """Notices by a tick that comes late that the process stood still. Both clocks count: one stands still with it."""

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
