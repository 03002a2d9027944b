"""What is open is counted once for all, and anew as soon as something happened."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from callback.decisions import actions
from callback.store.audit import By
from callback.web.console.now.keeper import Keeper
from tests.callback.world import NOON, US, World, call


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
