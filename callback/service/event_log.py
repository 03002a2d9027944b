"""What happens is told in the order of the feed: to people, programs and alarms, wherever it was decided."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

from callback.errors import StoreError
from callback.events import Event, Happened
from callback.logs.failing import Failing
from callback.service.narrator import Narrator
from callback.store import feed
from callback.store.engine import Store

log = logging.getLogger(__name__)
T = TypeVar("T")

PATIENCE_S: Final = 10.0
"""No longer is `flush` or `close` waited for."""
LOOK_EVERY_S: Final = 0.5
"""So often the feed is looked at; at once when `wake` is called."""


class EventLog:
    """Reads the feed of a PBX in a thread of its own and passes each event on, once and in order.

    The service's own events come by `tell`: each is stored first, and where that cannot be, passed on unstored. So are
    those of a service whose turn it is not: the feed is the other one's to pass on, and that one tells of itself alone.
    So does a process that works beside the one which listens; but what it tells is stored too, for that one to pass on.
    """

    def __init__(self, store: Store, pbx: str, narrator: Narrator, now: Callable[[], int]) -> None:
        self._store, self._pbx, self._now = store, pbx, now
        self.narrator = narrator
        self._listeners: list[Callable[[list[Happened]], None]] = [narrator.tell]
        self._reader: feed.Reader | None = None
        self._own: queue.SimpleQueue[Happened] = queue.SimpleQueue()
        self._flushes: queue.SimpleQueue[threading.Event] = queue.SimpleQueue()
        self._news, self._closed = threading.Event(), threading.Event()
        self._failing = Failing(log)
        self._our_turn = self._beside = False
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def start(self) -> None:
        """Pass on what the service tells."""
        self._thread.start()

    def begin(self) -> None:
        """It is our turn: pass on what is stored from now on."""
        self._reader = self._placed()
        self._our_turn = True

    def begin_beside(self) -> None:
        """Store what we tell from now on, beside the process that passes on what is stored."""
        self._beside = True

    def leave(self) -> None:
        """Our turn is over: what is stored from now on is for the next one to pass on."""
        self.flush()
        self._our_turn = False

    def listen(self, listener: Callable[[list[Happened]], None]) -> None:
        """Pass events on to one more, before they are written: whoever reads what is written may stand still."""
        self._listeners.insert(0, listener)

    def tell(self, event: Event) -> None:
        """Keep an event of the service and pass it on. From any thread, and at once."""
        self._own.put(Happened(self._now(), event))
        self.wake()

    def wake(self) -> None:
        """Something was stored. From any thread."""
        self._news.set()

    def flush(self) -> None:
        """Wait until all that was told so far is passed on, or will not be: it is closed."""
        done = threading.Event()
        self._flushes.put(done)
        self.wake()
        if not self._closed.is_set():
            done.wait(PATIENCE_S)

    def close(self) -> None:
        """Pass on what is still to be passed on, and end."""
        self._closed.set()
        self.wake()
        self._thread.join(PATIENCE_S)

    def _run(self) -> None:
        while not self._closed.is_set():
            self._news.wait(LOOK_EVERY_S)
            self._news.clear()
            waiting = _taken(self._flushes)
            self._once()
            for done in waiting:
                done.set()
        self._once()
        for done in _taken(self._flushes):
            done.set()

    def _once(self) -> None:
        """Whatever goes wrong: what comes next is told all the same."""
        try:
            if self._our_turn and self._reader is None:
                self._reader = self._placed()  # first: what is stored of our own is read from there
            reader = self._reader if self._our_turn else None
            self._tell_own(stored=reader is not None)
            while reader and (happened := self._read(reader)):
                self._pass_on(happened)
        except StoreError:
            pass  # whoever writes says that the database is away
        except Exception as error:  # noqa: BLE001
            self._failing.fails("read what happened", error)
        else:
            self._failing.works("read what happened")

    def _placed(self) -> feed.Reader | None:
        with suppress(StoreError), self._store.read() as connection:
            return feed.Reader(self._pbx, feed.end(connection))
        return None

    def _read(self, reader: feed.Reader) -> list[Happened]:
        with self._store.read() as connection:
            return reader.read(connection)

    def _tell_own(self, *, stored: bool) -> None:
        """Store our own, where it is read again from there; else pass it on, and store it for others."""
        own = _taken(self._own)
        if not own:
            return
        if not stored:
            self._pass_on(own)
        if stored or self._beside:
            self._keep(own, passed_on=not stored)

    def _keep(self, own: list[Happened], *, passed_on: bool) -> None:
        try:
            with self._store.write() as connection:
                for one in own:
                    feed.append(connection, self._pbx, one.event, one.at, self._now())
        except Exception as error:
            if not isinstance(error, StoreError):
                log.exception("what the service tells was not stored")
            if not passed_on:
                self._pass_on(own)

    def _pass_on(self, happened: list[Happened]) -> None:
        for listener in self._listeners:
            try:
                listener(happened)
            except Exception:
                log.exception("events were not passed on")


def _taken(waiting: queue.SimpleQueue[T]) -> list[T]:
    """All that waits now."""
    taken: list[T] = []
    with suppress(queue.Empty):
        while True:
            taken.append(waiting.get_nowait())
    return taken
