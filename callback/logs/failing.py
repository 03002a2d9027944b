"""What goes on failing for one reason is said when it begins and when it is over, not at each try."""

from __future__ import annotations

import logging

from callback.errors import CallbackError
from telephony.errors import TelephonyError


class Failing:
    """Remembers what each piece of work suffers from, and logs what changes."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._suffers: dict[str, str] = {}

    @property
    def suffers(self) -> dict[str, str]:
        """The work that fails now, and why."""
        return dict(self._suffers)

    def fails(self, name: str, error: Exception) -> None:
        """Say why a piece of work failed, unless it did for that at its last try; what nobody foresaw by traceback."""
        foreseen = isinstance(error, CallbackError | TelephonyError)
        why = str(error) if foreseen else f"{type(error).__name__}: {error}"
        if self._suffers.get(name) != why:
            self._log.warning("%s (it is tried again and again): %s", name, why, exc_info=None if foreseen else error)
            if foreseen:
                self._log.debug("what failed", exc_info=error)
        self._suffers[name] = why

    def works(self, name: str) -> None:
        """Say that a piece of work which failed is done again."""
        if self._suffers.pop(name, None) is not None:
            self._log.warning("%s: works again", name)

    def tried(self, name: str, error: Exception | None) -> None:
        """Take how a try went: what it failed for, or None."""
        if error is None:
            self.works(name)
        else:
            self.fails(name, error)
