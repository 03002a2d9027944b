"""What a process of the service shares with the others beside the database, from when the site's key is there."""

from __future__ import annotations

from contextlib import ExitStack

from callback.cluster.wiring import Cluster, joined
from callback.events import RedisAway, RedisBack
from callback.service.event_log import EventLog
from callback.settings.sections import Settings
from callback.store.engine import Store


class Shared:
    """Joins when it is first asked to: the first process on a database makes the key.

    From then on whatever this process commits that the feed tells of is rung.
    """

    def __init__(self, settings: Settings, store: Store, events: EventLog) -> None:
        self._settings, self._store, self._events = settings, store, events
        self._stack = ExitStack()
        self._cluster: Cluster | None = None

    def join(self) -> Cluster:
        """Give what is shared."""
        if self._cluster is None:
            self._cluster = self._stack.enter_context(joined(self._settings, self._store, self._changed))
            self._store.on_told = self._cluster.told
        return self._cluster

    def leave(self) -> None:
        """Share nothing any more; it may take a moment."""
        self._stack.close()

    def _changed(self, why: str) -> None:
        place = self._settings.cluster.place
        self._events.tell(RedisAway(place, why) if why else RedisBack(place, "it answers"))
