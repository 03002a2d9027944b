"""Everything a PBX says from now on, kept: tests wait for an event, and then look at what else was heard."""

from __future__ import annotations

import time
from typing import Self

from lab.asterisk import Asterisk
from lab.console import Reply


class Listener:
    """A session with all rights that keeps its events; a header given to match is what a value must begin with."""

    def __init__(self, pbx: Asterisk) -> None:
        self._console = pbx.console()
        self._events: list[Reply] = []
        self._waited = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._console.close()

    def wait(self, name: str, timeout_s: float = 20, **headers: str) -> Reply:
        """Wait for the next such event that was not waited for yet; what came before it is kept too."""
        deadline = time.monotonic() + timeout_s
        while True:
            while self._waited < len(self._events):
                event = self._events[self._waited]
                self._waited += 1
                if _matches(event, name, headers):
                    return event
            self._events.append(self._console.next_event(deadline - time.monotonic()))

    def wait_word(self, word: str) -> Reply:
        """Wait for a UserEvent of the dialplan."""
        return self.wait("UserEvent", UserEvent=word)

    def heard(self, name: str, **headers: str) -> list[Reply]:
        """Everything of this kind that was heard until what was waited for last."""
        return [event for event in self._events if _matches(event, name, headers)]

    def words(self) -> list[str]:
        """The UserEvents heard so far, in order."""
        return [event["UserEvent"] for event in self.heard("UserEvent")]


def _matches(event: Reply, name: str, headers: dict[str, str]) -> bool:
    return event.get("Event") == name and all(event.get(key, "").startswith(value) for key, value in headers.items())
