"""How often something may be asked for by one stranger: as often as people do, and not as fast as programs can."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

KEPT: Final = 10_000
"""So many who asked last are remembered; whoever is forgotten begins anew."""


class Pace:
    """Lets each key through `at_once` times, and after that once in `every_s`."""

    def __init__(self, at_once: int, every_s: float) -> None:
        self._at_once, self._every_s = at_once, every_s
        self._free_at: OrderedDict[Hashable, float] = OrderedDict()  # when all that a key has used is free again

    def allows(self, key: Hashable, now_s: float) -> bool:
        """Whether it may be done once more; if so, that is counted."""
        free_at = max(now_s, self._free_at.get(key, now_s)) + self._every_s
        if free_at - now_s > self._at_once * self._every_s:
            return False
        self._free_at[key] = free_at
        self._free_at.move_to_end(key)
        if len(self._free_at) > KEPT:
            self._free_at.popitem(last=False)
        return True
