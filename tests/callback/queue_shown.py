"""The queue of a test's world as a command would show it, by the clock of this machine."""

from __future__ import annotations

from callback.cli.options import looking
from callback.reports import queue
from callback.reports.queue import EVERYBODY, Line, Wanted
from tests.callback.world import World


def open_reservations(world: World, limit: int = 200, wanted: Wanted = EVERYBODY) -> list[Line]:
    with looking(world.store, world.settings) as work:
        return queue.open_reservations(work, limit, wanted)


def left_to_people(world: World, limit: int = 200) -> list[Line]:
    with looking(world.store, world.settings) as work:
        return queue.left_to_people(work, limit)


def totals(world: World, wanted: Wanted = EVERYBODY) -> str:
    with looking(world.store, world.settings) as work:
        return queue.totals(work, wanted)
