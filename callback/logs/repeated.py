"""What comes again and again is told once, and after that counted: one line a minute of each kind, whatever comes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final

EVERY_S: Final = 60.0
Later = Callable[[float, Callable[[str], None], str], object]


def _by_the_loop(after_s: float, do: Callable[[str], None], what: str) -> None:
    asyncio.get_running_loop().call_later(after_s, do, what)


class Repeated:
    """Says the first of a kind at once, and how many more there were, a minute later; for use in one event loop."""

    def __init__(self, say: Callable[[str], object], later: Later = _by_the_loop) -> None:
        self._say, self._later = say, later
        self._more: Counter[str] = Counter()
        self._told: set[str] = set()

    def note(self, what: str) -> None:
        """Count one of this kind; `what` is the same sentence for each of them."""
        if what in self._told:
            self._more[what] += 1
            return
        self._say(what)
        self._told.add(what)
        self._later(EVERY_S, self._sum_up, what)

    def _sum_up(self, what: str) -> None:
        more = self._more.pop(what, 0)
        if more == 0:
            self._told.discard(what)
            return
        self._say(f"{what} ({more} more in {EVERY_S:g} s)")
        self._later(EVERY_S, self._sum_up, what)
