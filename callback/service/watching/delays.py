"""How long what was digested waits for its commit: sampled, for it is asked for each stretch of the stream."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from itertools import accumulate
from typing import Final

from callback.operations.vitals import Delays

BOUNDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0)
SAMPLE_S: Final = 0.05
"""One of what comes within so long is followed to its commit."""


class CommitDelays:
    """Follows pieces by their numbers, which rise, from when they were taken to when they are done."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._followed: deque[tuple[int, float]] = deque()
        self._in = [0] * (len(BOUNDS) + 1)
        self._total_s = 0.0

    def taken(self, number: int) -> None:
        """A piece waits from now on."""
        now_s = self._seconds()
        if not self._followed or now_s - self._followed[-1][1] >= SAMPLE_S:
            self._followed.append((number, now_s))

    def done(self, number: int) -> None:
        """All up to this piece are committed."""
        now_s = self._seconds()
        while self._followed and self._followed[0][0] <= number:
            took_s = now_s - self._followed.popleft()[1]
            self._in[bisect_left(BOUNDS, took_s)] += 1
            self._total_s += took_s

    @property
    def oldest_waits_s(self) -> float:
        """For how long the oldest piece has waited; 0 where none waits."""
        return self._seconds() - self._followed[0][1] if self._followed else 0.0

    @property
    def so_far(self) -> Delays:
        """How long it took so far."""
        within = tuple(accumulate(self._in))
        return Delays(bounds=BOUNDS, within=within[:-1], count=within[-1], total_s=self._total_s)
