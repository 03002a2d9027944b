"""Values that are dear to read and may be a moment old: read once for all who want them, and never by two at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from callback.site.work import Work
from callback.store import feed
from scheduler.clock import SECOND

T = TypeVar("T")

FRESH_S: Final = 2.0
"""A value is not older, unless it takes long to read, or somebody reads it anew at this moment."""
OLD_S: Final = 30.0
"""Nobody is given an older one: whoever asks waits until it is read."""
SHARE: Final = 10.0
"""After it was read, a value stands so many times as long as that took, whatever happens; `share` is another number."""
KEPT: Final = 200


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    value: T
    at: int  # by the console's clock
    read_s: float  # when, and how long it took
    took_s: float
    place: int  # in the feed


class Recent(Generic[T]):
    """Keeps a value by key. What happens makes it old, and so does time.

    `share` bounds what reading costs: a value stands so many times as long as it took; 0: what happened is always seen.
    """

    def __init__(
        self, read: Callable[[Work, Any], T], seconds: Callable[[], float] = time.monotonic, share: float = SHARE
    ) -> None:
        self._read, self._seconds, self._share = read, seconds, share
        self._kept: dict[Hashable, _Kept[T]] = {}
        self._locks: dict[Hashable, threading.Lock] = {}
        self._guard = threading.Lock()

    def get(self, work: Work, key: Hashable) -> T:
        """Give the value of that key, read in this snapshot or a moment before it."""
        kept = self._kept.get(key)
        if kept is not None and self._stands(kept, work):
            return kept.value
        lock = self._lock(key)
        if not lock.acquire(blocking=False):
            if kept is not None and self._is_usable(kept, work):
                return kept.value
            lock.acquire()
        try:
            kept = self._kept.get(key)
            if kept is not None and self._stands(kept, work):
                return kept.value
            return self._anew(work, key)
        finally:
            lock.release()

    def last(self, work: Work, key: Hashable) -> T:
        """Give what was read last, where somebody else sees to it that it is read; else the same as `get`."""
        kept = self._kept.get(key)
        return kept.value if kept is not None and self._is_usable(kept, work) else self.get(work, key)

    def _anew(self, work: Work, key: Hashable) -> T:
        began_s, place = self._seconds(), feed.end(work.connection)
        value = self._read(work, key)
        now_s = self._seconds()
        with self._guard:
            self._kept[key] = _Kept(value, work.now, now_s, now_s - began_s, place)
            while len(self._kept) > KEPT:
                oldest = min(self._kept, key=lambda one: self._kept[one].read_s)
                del self._kept[oldest]
        return value

    def _stands(self, kept: _Kept[T], work: Work) -> bool:
        """Whether it may be given still: it was read just now, or nothing has happened and little time has passed."""
        age_s, off_s = self._seconds() - kept.read_s, abs(work.now - kept.at) / SECOND
        if off_s > max(FRESH_S, kept.took_s * self._share):
            return False
        if age_s < kept.took_s * self._share:
            return True
        return age_s < FRESH_S and feed.end(work.connection) == kept.place

    def _is_usable(self, kept: _Kept[T], work: Work) -> bool:
        return max(abs(work.now - kept.at) / SECOND, self._seconds() - kept.read_s) <= OLD_S

    def _lock(self, key: Hashable) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(key, threading.Lock())
