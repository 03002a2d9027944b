"""Processes that are kept beside the service: when one dies that alarms, once, and so does that it is well again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from callback.events import Event, ProcessBack, ProcessDown

LIVED_S: Final = 60.0
"""Who lived so long is well again."""


class Minded(Protocol):
    """Whoever tells which of them run."""

    def __call__(self, name: str, *, up: bool, why: str = "") -> None:
        """One began, or ended."""


def _nobody(name: str, *, up: bool, why: str = "") -> None:
    del name, up, why


class Deaths:
    """What is told of one process that is begun again whenever it ends."""

    def __init__(
        self, name: str, tell: Callable[[Event], None], minded: Minded = _nobody, lived_s: float = LIVED_S
    ) -> None:
        self._name, self._tell, self._minded, self._lived_s = name, tell, minded, lived_s
        self._down = False
        self._living: asyncio.TimerHandle | None = None

    def began(self) -> None:
        """It runs from now on."""
        self._minded(self._name, up=True)
        if self._down:
            self._living = asyncio.get_running_loop().call_later(self._lived_s, self._lives)

    def ended(self, why: str) -> None:
        """It ended by itself, or had to be ended."""
        self._minded(self._name, up=False, why=why)
        if self._living is not None:
            self._living.cancel()
        if not self._down:
            self._down = True
            self._tell(ProcessDown(self._name, why))

    def _lives(self) -> None:
        self._down = False
        self._tell(ProcessBack(self._name))
