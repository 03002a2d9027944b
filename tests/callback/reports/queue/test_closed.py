"""Closed reservations, the last closed first, page by page and by day."""

from __future__ import annotations

from callback.reports.queue import closed
from callback.reports.queue.closed import SETTLED, Span
from callback.reports.queue.wanted import Wanted
from tests.callback.reports.queue.many import fill, settle
from tests.callback.world import MINUTE, NOON, World

SETTLED_IDS = list(range(1, 41))


def pages(world: World, wanted: Wanted, within: Span | None = None) -> list[int]:
    with world.store.read() as connection:
        work = world.work(connection, NOON)
        page = closed.page(work, SETTLED, wanted, 6, within)
        found = [row.reservation for row in page.rows]
        while page.after is not None:
            page = closed.page(work, SETTLED, wanted, 6, within, page.after)
            found += [row.reservation for row in page.rows]
    return found


def test_pages_of_what_is_settled_are_the_list(world: World) -> None:
    rows = fill(world, 60)
    settle(world, SETTLED_IDS)
    assert pages(world, Wanted()) == SETTLED_IDS[::-1]
    queue_of = {row["id"]: row["queue"] for row in rows}
    wanted = Wanted(queues=frozenset({"sales"}))
    assert pages(world, wanted) == [one for one in SETTLED_IDS[::-1] if queue_of[one] == "sales"]
    assert pages(world, Wanted(groups=frozenset({"trade"}))) == pages(world, wanted)


def test_a_day_begins_with_its_first_instant_and_ends_before_the_next(world: World) -> None:
    fill(world, 60)
    settle(world, SETTLED_IDS)
    span = Span(NOON + 2 * MINUTE, NOON + 5 * MINUTE)
    assert pages(world, Wanted(), span) == [10, 9, 8, 7, 6, 5]
    with world.store.read() as connection:
        assert closed.counts(world.work(connection, NOON), SETTLED, span) == {"reached": 6}
