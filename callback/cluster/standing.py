"""Whether Redis is there, as one process sees it: said once when it goes, and once when it is back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Literal

log = logging.getLogger(__name__)

Part = Literal["asks", "hears"]
"""What a process does with Redis: it asks and rings by one connection, and hears rings by another."""


class Standing:
    """Takes how each part fares. From any thread; `changed` is given why Redis is away, and "" when it is back."""

    def __init__(self, where: str, changed: Callable[[str], object]) -> None:
        self._where, self._changed = where, changed
        self._lock = threading.Lock()
        self._suffers = dict[Part, str]()

    @property
    def is_away(self) -> bool:
        """Whether any part does without Redis."""
        return bool(self._suffers)

    def fails(self, part: Part, why: str) -> None:
        """Take it that Redis is away."""
        with self._lock:
            began, self._suffers[part] = not self._suffers, why
        if began:
            log.warning("Redis at %s is away (%s): this process goes on without it", self._where, why)
            self._changed(why)

    def works(self, part: Part) -> None:
        """Take it that Redis answered."""
        with self._lock:
            ended = self._suffers.pop(part, None) is not None and not self._suffers
        if ended:
            log.warning("Redis at %s is back", self._where)
            self._changed("")
