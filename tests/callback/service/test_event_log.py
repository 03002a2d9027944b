"""What happens is passed on in order, wherever it was decided; the service's own events even without a database."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from callback.errors import StoreError
from callback.events import AgentsBack, Happened, LeaseKept, LeaseLost, Standby, Started
from callback.service import event_log
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
    events.begin()
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


def test_who_stands_by_tells_what_is_its_own_and_nothing_of_the_others(world: World) -> None:
    """Each event is told by one service: two on one database would pass every alarm on twice."""
    listens, stands_by = Listener(), Listener()
    with running(world, listens) as first, running(world, stands_by) as second:
        second.leave()
        second.tell(Standby("the other one listens"))
        first.tell(Started("main", 0))
        for events in (first, second):
            events.flush()
        assert (listens.names, stands_by.names) == (["started"], ["standby"])
        first.leave()
        second.begin()
        first.tell(LeaseLost("main", "taken"))
        second.tell(Started("main", 0))
        for events in (first, second):
            events.flush()
    assert listens.names == ["started", "lease-lost"]
    assert stands_by.names == ["standby", "started"]


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


def test_what_cannot_be_stored_or_read_for_a_reason_that_nobody_foresaw_ends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    listener = Listener()

    def fails() -> None:
        raise ValueError("nobody foresaw this")

    with running(world, listener) as events:
        for way in ("write", "read"):
            monkeypatch.setattr(world.store, way, fails)
            events.tell(LeaseKept(way))
            events.flush()
            monkeypatch.undo()
        events.tell(Started("main", 0))
    assert listener.names == ["lease-kept", "lease-kept", "started"]
    assert "nobody foresaw this" in caplog.text


def test_an_event_of_its_own_is_not_lost_when_the_database_comes_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise StoreError("it is away")

    listener = Listener()
    monkeypatch.setattr(world.store, "read", away)
    with running(world, listener) as events:
        events.tell(LeaseKept("away"))
        listener.wait(lambda names: names == ["lease-kept"])
        monkeypatch.undo()
        events.tell(Started("main", 0))
    assert listener.names == ["lease-kept", "started"]


def test_a_listener_that_takes_no_more_does_not_keep_the_service_from_ending(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "PATIENCE_S", 0.1)
    heard, goes_on, taken = threading.Event(), threading.Event(), Listener()

    def stands(_happened: list[Happened]) -> None:
        heard.set()
        goes_on.wait(PATIENCE_S)

    narrator = Narrator(world.site.hours.zone, io.StringIO())
    monkeypatch.setattr(narrator, "tell", stands)
    events = EventLog(world.store, "main", narrator, lambda: NOON)
    events.listen(taken)
    events.start()
    events.begin()
    events.tell(Started("main", 0))
    try:
        assert heard.wait(PATIENCE_S)
        assert taken.names == ["started"], "alarms leave before anything is written"
        closing = threading.Thread(target=events.close, daemon=True)
        closing.start()
        closing.join(PATIENCE_S / 2)
        assert not closing.is_alive()
    finally:
        goes_on.set()
        events.close()


def test_it_may_be_closed_twice_and_told_of_more_afterwards(world: World) -> None:
    listener = Listener()
    with running(world, listener) as events:
        events.tell(Started("main", 0))
        events.close()
        began = time.monotonic()
        events.tell(LeaseKept("late"))
        events.flush()
        assert time.monotonic() - began < event_log.PATIENCE_S / 2
    assert listener.names == ["started"]
