"""The live part of a console from its start to its end: a hub, and the thread that watches for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import parse_qsl, unquote

from callback.accounts.roles import allowed
from callback.cluster.doorbell import SILENT, Doorbell
from callback.errors import CallbackError
from callback.store.changes import Changes
from callback.store.engine import Store
from callback.web.console.back import parts_of
from callback.web.console.live.hub import Hub, Line
from callback.web.console.live.views import Address, Audience, Kind, View
from callback.web.console.live.watch import Fallen, Snapshot, Watch

STREAM = "/stream"
LONGEST = 500  # characters of an address


class Live:
    """Begins in the event loop that serves; `end` tells the streams to end, before the server waits for them."""

    def __init__(
        self,
        store: Store,
        snapshot: Snapshot,
        now: Callable[[], int],
        views: Mapping[str, Kind],
        fallen: Fallen,
        doorbell: Doorbell = SILENT,
    ) -> None:
        make = partial(view_of, views)
        self.hub = Hub(make, personal=frozenset(name for name, kind in views.items() if kind.personal))
        self._watch = Watch(self.hub, Changes(store), snapshot, fallen, now)
        doorbell.on("feed", self.hub.somebody_came.set)

    def start(self) -> None:
        """Begin to watch, in the event loop that runs."""
        self._watch.start(Line(asyncio.get_running_loop()))

    def end(self) -> None:
        """Tell every stream to end."""
        self.hub.end()

    def stop(self) -> None:
        """Watch no more."""
        self._watch.stop()


def view_of(views: Mapping[str, Kind], address: str, audience: Audience) -> View:
    """Make the view that an address names, as `/stream/queue?lane=binds`.

    CallbackError where it names none, or none that this audience may see.
    """
    parts = parts_of(address)
    root, _, path = parts.path.removeprefix("/").partition("/")
    name, _, of = path.partition("/")
    kind = views.get(name)
    if len(address) > LONGEST or parts.netloc or f"/{root}" != STREAM or kind is None:
        raise CallbackError("there is no such live page")
    if not allowed(audience.roles, kind.right):
        raise CallbackError("there is no such live page for you")
    return kind.factory(audience, Address(name, unquote(of), dict(parse_qsl(parts.query, keep_blank_values=True))))
