"""The queue of a test's world as a command would show it, by the clock of this machine."""

from __future__ import annotations

from callback.cli.options import looking
from callback.cli.tables import queue as queue_table
from callback.reports.queue import board, closed
from callback.reports.queue.lanes import Sort
from callback.reports.queue.rows import Row
from callback.reports.queue.wanted import EVERYBODY, Wanted
from tests.callback.world import World


def open_reservations(world: World, limit: int = 200, wanted: Wanted = EVERYBODY) -> list[Row]:
    with looking(world.store, world.settings) as work:
        return board.in_list(board.Queue(work), wanted, Sort.DEADLINE, limit)


def left_to_people(world: World, limit: int = 200) -> list[Row]:
    with looking(world.store, world.settings) as work:
        return list(closed.page(work, closed.LEFT, EVERYBODY, limit).rows)


def totals(world: World, wanted: Wanted = EVERYBODY) -> str:
    with looking(world.store, world.settings) as work:
        return queue_table.totals(board.Queue(work).counts(wanted))
