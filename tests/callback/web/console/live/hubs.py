"""A hub with its watch thread on a test's database, a view that is easy to follow, and viewers that collect."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from callback.cluster.doorbell import SILENT, Doorbell
from callback.errors import StoreAway
from callback.events import Event
from callback.site.work import Work
from callback.store import tables as t
from callback.web.console.live.live import Live
from callback.web.console.live.viewers import Viewer, Visitor
from callback.web.console.live.views import Address, Audience, Kind, Look, Rendered, View
from tests.callback.world import NOON, World

SUPERVISORS = Audience(frozenset({"supervisor"}), None, "en")
PATIENCE_S = 20.0


@dataclass
class OpenOnes:
    """Shows the open reservations, by state; counts how often it was rendered."""

    audience: Audience
    rendered: int = 0
    broken: bool = False
    failed: threading.Event = field(default_factory=threading.Event)
    wide: int = 0  # bytes of each row, more than others have

    def concerns(self, event: Event) -> bool:
        return "reservation" in event.facts()

    def render(self, look: Look) -> Rendered:
        self.rendered += 1
        if self.broken:
            self.failed.set()
            raise RuntimeError("broken view")
        rows = look.once("open", _open)
        order: dict[str, list[int]] = {}
        for id_, state in rows:
            order.setdefault(state, []).append(id_)
        html = {id_: f"<tr id='r-{id_}'><td>{state}{' ' * self.wide}</td></tr>" for id_, state in rows}
        return Rendered(order, html, {"open": str(len(rows))})


def _open(work: Work) -> list[tuple[int, str]]:
    r = t.reservation.c
    rows = work.connection.execute(select(r.id, r.state).where(t.OPEN).order_by(r.id))
    return [(row.id, row.state) for row in rows]


@dataclass
class Centre:
    """A hub on a world. `fallen` are the sessions that have ended; `away` makes the database unreadable."""

    world: World
    views: dict[Audience, OpenOnes] = field(default_factory=dict)
    fallen: set[str] = field(default_factory=set)
    away: threading.Event = field(default_factory=threading.Event)
    now: int = NOON
    doorbell: Doorbell = SILENT
    live: Live = field(init=False)

    def __post_init__(self) -> None:
        views = {"open": Kind(self._view)}
        self.live = Live(self.world.store, self._snapshot, lambda: self.now, views, self._fallen, self.doorbell)

    def _view(self, audience: Audience, _address: Address) -> View:
        return self.views.setdefault(audience, OpenOnes(audience))

    def _snapshot(self) -> AbstractContextManager[Work]:
        return self._reading()

    @contextmanager
    def _reading(self) -> Iterator[Work]:
        if self.away.is_set():
            raise StoreAway("the database is away")
        with self.world.store.read() as connection:
            yield self.world.work(connection, self.now)

    def _fallen(self, _work: Work, visitors: Collection[Visitor]) -> list[Visitor]:
        return [one for one in visitors if one.session in self.fallen]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Centre]:
        self.live.start()
        try:
            yield self
        finally:
            await asyncio.to_thread(self.live.stop)

    def join(
        self, session: str = "s", last: str = "", audience: Audience = SUPERVISORS, address: str = "/stream/open"
    ) -> Listener:
        visitor = Visitor("Anna", session, "192.0.2.1", audience)
        return Listener(self.live, self.live.hub.open(visitor, [address], last))


@dataclass
class Received:
    name: str
    data: dict[str, Any]
    id: str
    raw: bytes


class Listener:
    """Reads one stream."""

    def __init__(self, live: Live, viewer: Viewer) -> None:
        self._live, self.viewer = live, viewer
        self._events = viewer.events()
        self.last = ""

    async def next(self, name: str = "", has: Callable[[Mapping[str, Any]], object] = lambda _: True) -> Received:
        """The next event of that name with such data; frames have none."""
        async with asyncio.timeout(PATIENCE_S):
            async for raw in self._events:
                event = parsed(raw)
                self.last = event.id or self.last
                if event.name == name and has(event.data):
                    return event
        raise AssertionError("the stream ended")

    async def rest(self) -> list[str]:
        """The names of all that comes until the stream ends."""
        async with asyncio.timeout(PATIENCE_S):
            return [parsed(raw).name async for raw in self._events]

    def leave(self) -> None:
        self._live.hub.leave(self.viewer)


def parsed(raw: bytes) -> Received:
    assert raw.endswith(b"\n\n")
    fields = dict(line.split(": ", 1) for line in raw.decode().rstrip("\n").split("\n") if not line.startswith(":"))
    name = fields.get("event", "" if "data" in fields else "hello")
    return Received(name, json.loads(fields.get("data", "{}")), fields.get("id", ""), raw)
