"""How often something may be asked for by one stranger: as often as people do, and not as fast as programs can."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

from callback.cluster.limits import OWN, Limits

KEPT: Final = 10_000
"""So many who asked last are remembered; whoever is forgotten begins anew."""


class Pace:
    """Lets each key through `at_once` times, and after that once in `every_s`. From any thread.

    Where nodes share their limits it bounds all of them together, and waits for that a tenth of a second at most; what
    this process has let through bounds it in any case.
    """

    def __init__(self, at_once: int, every_s: float, name: str = "", shared: Limits = OWN) -> None:
        self._at_once, self._every_s, self._name, self._shared = at_once, every_s, name, shared
        self._lock = threading.Lock()
        self._free_at: OrderedDict[Hashable, float] = OrderedDict()  # when all that a key has used is free again

    def allows(self, key: Hashable, now_s: float) -> bool:
        """Whether it may be done once more; if so, that is counted."""
        return self._own(key, now_s) and self._everywhere(key)

    def _own(self, key: Hashable, now_s: float) -> bool:
        with self._lock:
            free_at = max(now_s, self._free_at.get(key, now_s)) + self._every_s
            if free_at - now_s > self._at_once * self._every_s:
                return False
            self._free_at[key] = free_at
            self._free_at.move_to_end(key)
            if len(self._free_at) > KEPT:
                self._free_at.popitem(last=False)
            return True

    def _everywhere(self, key: Hashable) -> bool:
        """Whether all nodes together have let it through less often; where nobody can tell, it is let through."""
        return self._shared.allows(self._name, str(key), self._at_once, self._every_s) is not False
