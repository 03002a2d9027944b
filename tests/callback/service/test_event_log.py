"""What happens is passed on in order, wherever it was decided; the service's own events even without a database."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from callback.errors import StoreError
from callback.events import AgentsBack, Happened, LeaseKept, Started
from callback.service.event_log import EventLog
from callback.service.narrator import Narrator
from tests.callback.world import NOON, World, fed

PATIENCE_S = 20.0


class Listener:
    def __init__(self) -> None:
        self.names: list[str] = []
        self._moved = threading.Condition()

    def __call__(self, happened: list[Happened]) -> None:
        with self._moved:
            self.names += [one.name for one in happened]
            self._moved.notify_all()

    def wait(self, holds: Callable[[list[str]], bool]) -> None:
        with self._moved:
            assert self._moved.wait_for(lambda: holds(self.names), PATIENCE_S), self.names


@contextmanager
def running(world: World, *listeners: Callable[[list[Happened]], None]) -> Iterator[EventLog]:
    narrator = Narrator(world.site.hours.zone, io.StringIO())
    events = EventLog(world.store, "main", narrator, lambda: NOON)
    for listener in listeners:
        events.listen(listener)
    events.start()
    try:
        yield events
    finally:
        events.close()


def test_what_others_store_and_what_the_service_tells_come_in_one_order(world: World) -> None:
    listener = Listener()
    with running(world, listener) as events:
        events.tell(Started("main", 0))
        listener.wait(lambda names: len(names) == 1)
        with world.store.write() as connection:
            world.work(connection, NOON).tell(AgentsBack("sales"))
        listener.wait(lambda names: len(names) == 2)
        events.tell(LeaseKept("away"))
    assert listener.names == ["started", "agents-back", "lease-kept"], "the last one too, though it ends"
    assert [one.name for one in fed(world.store)] == listener.names


def test_what_happened_before_it_began_is_not_told(world: World) -> None:
    with world.store.write() as connection:
        world.work(connection, NOON).tell(AgentsBack("sales"))
    listener = Listener()
    with running(world, listener) as events:
        events.tell(Started("main", 0))
    assert listener.names == ["started"]


def test_without_a_database_the_services_own_events_are_told_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Listener()

    def away() -> None:
        raise StoreError("it is away")

    with running(world, listener) as events:
        monkeypatch.setattr(world.store, "write", away)
        events.tell(LeaseKept("away"))
        listener.wait(lambda names: names == ["lease-kept"])
        monkeypatch.undo()
    assert fed(world.store) == []


def test_a_listener_that_fails_keeps_nothing_from_the_others(world: World, caplog: pytest.LogCaptureFixture) -> None:
    listener = Listener()

    def fails(_happened: list[Happened]) -> None:
        raise ValueError("no room")

    with running(world, fails, listener) as events:
        events.tell(Started("main", 0))
    assert listener.names == ["started"]
    assert "events were not passed on" in caplog.text
