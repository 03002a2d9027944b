"""What is open is counted once for all, and anew as soon as something happened."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final

import pytest
from sqlalchemy import event

from callback.decisions import actions
from callback.errors import StoreAway
from callback.site.work import Work
from callback.store.audit import By
from callback.web.console.now import keeper as keeping
from callback.web.console.now.keeper import Keeper
from tests.callback.world import NOON, US, World, call

PATIENCE_S: Final = 30.0


def test_what_is_open_is_counted_once_until_something_happens(world: World) -> None:
    for number in range(3):
        world.hear(call(f"0901234567{number}"))
    keeper, counted = Keeper(), list[str]()

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "count(" in statement and "GROUP BY" in statement and "FROM reservation" in statement:
            counted.append(statement)

    def seen() -> tuple[int, int, int]:
        with world.store.read() as connection:
            work = world.work(connection, NOON + US)
            now, head = keeper.now(work, None), keeper.head(work, None)
            return keeper.queue(work).counts().by_lane["held"], now.open.held.count, head.held.count

    event.listen(world.store.engine, "before_cursor_execute", note)
    try:
        assert [seen(), seen()] == [(0, 0, 0)] * 2
        assert len(counted) == 1
        with world.store.write() as connection:
            actions.hold(world.work(connection, NOON + US), 1, By("Anna", "why"))
        assert seen() == (1, 1, 1)
    finally:
        event.remove(world.store.engine, "before_cursor_execute", note)
    assert len(counted) == 2


@pytest.mark.parametrize("group", ["support", "sales"])
def test_it_is_counted_for_all_groups_and_shown_to_each(world: World, group: str) -> None:
    world.hear(call(queue=group))
    keeper = Keeper()
    with world.store.read() as connection:
        work = world.work(connection, NOON)
        whose = world.reservations()[0].queue_group
        assert keeper.now(work, frozenset({whose})).open.all.count == 1
        assert keeper.now(work, frozenset({"nobody's"})).open.all.count == 0


class Snapshots:
    """Snapshots of a world; the first ones fail."""

    def __init__(self, world: World, fail: int) -> None:
        self.world, self.fail, self.seen = world, fail, 0

    def __call__(self, read: Callable[[Work], Any]) -> Any:
        self.seen += 1
        if self.seen <= self.fail:
            raise StoreAway("the database is away")
        with self.world.store.read() as connection:
            return read(self.world.work(connection, NOON + US))


@pytest.mark.parametrize("fail", [0, 1])
def test_the_day_is_read_in_the_background_also_after_the_database_was_away(world: World, fail: int) -> None:
    world.hear(call())
    keeper, snapshots = Keeper(), Snapshots(world, fail)
    with world.store.read() as connection:
        assert keeper.now(world.work(connection, NOON + US), None).day is None, "no page waits for it"
    keeper.start(snapshots)
    try:
        deadline = time.monotonic() + PATIENCE_S
        day = None
        while day is None and time.monotonic() < deadline:
            time.sleep(0.05)
            with world.store.read() as connection:
                day = keeper.now(world.work(connection, NOON + US), None).day
    finally:
        keeper.stop()
    assert day is not None
    assert day.came == 1
    assert snapshots.seen > fail


def test_it_ends_at_once_while_it_rests_from_reading_the_day(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "REST", 1e9)
    monkeypatch.setattr(keeping, "RATES_EVERY_S", 0.01)
    world.hear(call())
    keeper, reads, reading = Keeper(), list[int](), threading.Event()

    def snapshot(read: Callable[[Work], Any]) -> Any:
        reads.append(1)
        if len(reads) > 2:
            reading.set()  # the rates, the site, and the first of the days
        with world.store.read() as connection:
            return read(world.work(connection, NOON))

    snapshot(lambda work: keeper.now(work, None))
    keeper.start(snapshot)
    assert reading.wait(20)
    began_s = time.monotonic()
    keeper.stop()
    assert time.monotonic() - began_s < 5
