"""Who listens: each with a short queue, so that whoever reads slowly costs nobody else anything."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Final

from fastapi.sse import format_sse_event

from callback.errors import CallbackError
from callback.web.connections import PROXY
from callback.web.console.live.frames import RESYNC, named
from callback.web.console.live.views import Audience

ROOM: Final = 4  # events that wait for one viewer, for each of the views
OF_ADDRESS: Final = 100
OF_SESSION: Final = 4
RETRY_MS: Final = 2_000
JITTER: Final = 0.5  # of it, both ways: not all come back at once

Why = str
"""Why a stream is ended: `ended` or `session`."""


class TooMany(CallbackError):
    """There are as many streams already as one address or one session may have."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whose stream it is: the person, the session that the stream ends with, where it comes from, and what it sees."""

    user: str
    session: str
    address: str
    audience: Audience


class Viewer:
    """One stream. It belongs to the event loop: other threads hand it nothing directly."""

    def __init__(self, visitor: Visitor, views: int) -> None:
        self.visitor = visitor
        self._room = ROOM * views
        self._waiting: deque[bytes] = deque([_hello()])
        self._news = asyncio.Event()
        self._news.set()
        self._ended = False

    def put(self, event: bytes) -> None:
        """Let an event wait for its turn; where there is no room, all that waits is dropped for one `resync`."""
        if self._ended:
            return
        if len(self._waiting) >= self._room:
            self._waiting.clear()
            event = RESYNC
        self._waiting.append(event)
        self._news.set()

    def end(self, why: Why) -> None:
        """Say so, and why, after what waits already; nothing comes after that."""
        if self._ended:
            return
        self._waiting.append(named("bye", {"why": why}, retry_ms()))
        self._ended = True
        self._news.set()

    async def events(self) -> AsyncIterator[bytes]:
        """Everything in its turn, until the stream is ended."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                yield self._waiting.popleft()
            if self._ended:
                return


def retry_ms() -> int:
    """When a browser is to come back: another moment for each."""
    return round(RETRY_MS * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311 - no secret


def admit(new: Visitor, others: Iterable[Visitor]) -> None:
    """Raise TooMany where the address or the session has all that it may; a proxy's address stands for everybody."""
    counted = Counter(key for one in others for key in (("session", one.session), ("address", one.address)))
    if counted["session", new.session] >= OF_SESSION:
        raise TooMany(f"this session has {OF_SESSION} streams already")
    if new.address not in PROXY and counted["address", new.address] >= OF_ADDRESS:
        raise TooMany(f"this address has {OF_ADDRESS} streams already")


def _hello() -> bytes:
    """Begin: it makes the answer's headers leave, and says when to come back after a loss."""
    return format_sse_event(comment="live", retry=retry_ms())
