"""A connection that is away is told when it goes, with the remedy; after that only now and then that it still is."""

from __future__ import annotations

from typing import Any, Final

from scheduler.clock import MINUTE

STILL_EVERY_US: Final = 5 * MINUTE
REMEDY: Final = "start Asterisk, or see [pbx] host, port and bindaddr in manager.conf; `callback doctor` looks closer"


class Outage:
    """Remembers since when a connection is away. Each try to get it back fails; few of them are news."""

    def __init__(self) -> None:
        self._since = self._told = 0

    def facts(self, state: str, why: str, now: int) -> dict[str, Any] | None:
        """Give the facts to be told of any state of the connection; None where nothing is."""
        if state == "up":
            self.up()
        return self.down(why, now) if state == "down" else {"why": why}

    def down(self, why: str, now: int) -> dict[str, Any] | None:
        """Give the facts to be told of a failure; None where it was told lately."""
        if not self._since:
            self._since = self._told = now
            return {"why": why, "remedy": REMEDY}
        if now < self._told + STILL_EVERY_US:
            return None
        self._told = now
        return {"why": why, "remedy": REMEDY, "still_since_at": self._since}

    def up(self) -> None:
        """Forget it: the connection is back."""
        self._since = self._told = 0
