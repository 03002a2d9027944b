"""Turns: the threads of a process take something one after the other, in the order in which they came."""

from __future__ import annotations

import threading
from collections import deque


class Turns:
    """A lock that is handed on to whoever waits longest.

    A plain lock goes to whoever asks at the right moment, mostly the thread that has just given it back: of eight
    threads that each claim one callback after the other on SQLite, one in a hundred then waits 5 times as long.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._taken = False
        self._queue: deque[threading.Lock] = deque()

    @property
    def waiting(self) -> int:
        """How many threads wait now."""
        return len(self._queue)

    def take(self, timeout_s: float) -> bool:
        """Wait for the turn; False, and out of the queue, when it did not come in time."""
        with self._mutex:
            if not self._taken:
                self._taken = True
                return True
            mine = threading.Lock()
            mine.acquire()
            self._queue.append(mine)
        if mine.acquire(timeout=timeout_s):
            return True
        with self._mutex:
            if mine not in self._queue:
                return True  # it was handed over just now
            self._queue.remove(mine)
            return False

    def give(self) -> None:
        """Hand the turn on to the first of those who wait."""
        with self._mutex:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._taken = False
