"""What goes on failing for one reason is said when it begins and when it is over, not at each try."""

from __future__ import annotations

import logging


class Ailing:
    """Remembers what each piece of work suffers from, and logs what changes."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._suffers: dict[str, str] = {}

    def fails(self, name: str, error: Exception) -> None:
        """Say why a piece of work failed, unless it failed for that at its last try."""
        why = str(error)
        if self._suffers.get(name) != why:
            self._log.warning("%s (it is tried again and again): %s", name, why)
            self._log.debug("what failed", exc_info=error)
        self._suffers[name] = why

    def works(self, name: str) -> None:
        """Say that a piece of work which failed is done again."""
        if self._suffers.pop(name, None) is not None:
            self._log.warning("%s: works again", name)
