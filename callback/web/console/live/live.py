"""The live part of a console from its start to its end: a hub, and the thread that watches for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, unquote

from callback.errors import CallbackError
from callback.store.changes import Changes
from callback.store.engine import Store
from callback.web.console.back import parts_of
from callback.web.console.live.hub import Hub, Line
from callback.web.console.live.views import Address, Audience, Factory, View
from callback.web.console.live.watch import Fallen, Snapshot, Watch

STREAM = "/stream"
LONGEST = 500  # characters of an address


class Live:
    """Begins in the event loop that serves; `end` tells the streams to end, before the server waits for them."""

    def __init__(
        self, store: Store, snapshot: Snapshot, now: Callable[[], int], views: Mapping[str, Factory], fallen: Fallen
    ) -> None:
        self.hub = Hub(lambda address, audience: view_of(views, address, audience))
        self._watch = Watch(self.hub, Changes(store), snapshot, fallen, now)

    def start(self) -> None:
        """Begin to watch, in the event loop that runs."""
        self._watch.start(Line(asyncio.get_running_loop()))

    def end(self) -> None:
        """Tell every stream to end."""
        self.hub.end()

    def stop(self) -> None:
        """Watch no more."""
        self._watch.stop()


def view_of(views: Mapping[str, Factory], address: str, audience: Audience) -> View:
    """Make the view that an address names, as `/stream/queue?lane=binds`. CallbackError where it names none."""
    parts = parts_of(address)
    root, _, path = parts.path.removeprefix("/").partition("/")
    name, _, of = path.partition("/")
    factory = views.get(name)
    if len(address) > LONGEST or parts.netloc or f"/{root}" != STREAM or factory is None:
        raise CallbackError("there is no such live page")
    return factory(audience, Address(name, unquote(of), dict(parse_qsl(parts.query, keep_blank_values=True))))
