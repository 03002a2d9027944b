"""Who has which reservation open or selected, in this process's memory alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

MOST: Final = 100  # reservations of one tab
TABS: Final = 16  # of one session
LASTS_S: Final = 60.0
"""So long it is believed; a browser says it again within that."""


@dataclass(frozen=True, slots=True)
class _Tab:
    user: str
    reservations: frozenset[int]
    until_s: float


class Presence:
    """Takes from each tab what it has open; safe to use from any thread."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._tabs: dict[str, dict[str, _Tab]] = {}  # by session

    def here(self, session: str, tab: str, user: str, reservations: Collection[int]) -> None:
        """A tab has these open, and no others any more."""
        until_s = self._seconds() + LASTS_S
        with self._lock:
            tabs = self._tabs.setdefault(session, {})
            tabs.pop(tab, None)
            if reservations:
                tabs[tab] = _Tab(user, frozenset(sorted(reservations)[:MOST]), until_s)
            while len(tabs) > TABS:
                del tabs[next(iter(tabs))]

    def left(self, session: str) -> None:
        """The session has no stream any more."""
        with self._lock:
            self._tabs.pop(session, None)

    def who(self) -> Mapping[int, list[str]]:
        """The names of those who have a reservation open, by reservation."""
        now_s = self._seconds()
        found: dict[int, set[str]] = {}
        with self._lock:
            for tabs in self._tabs.values():
                for tab in tabs.values():
                    if tab.until_s > now_s:
                        for reservation in tab.reservations:
                            found.setdefault(reservation, set()).add(tab.user)
        return {reservation: sorted(users) for reservation, users in found.items()}
