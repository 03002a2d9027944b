"""Forecast of missed promises: how many with the agents present, and how many more agents would keep them.

The time ahead is cut into slots of one callback each. In each slot the agents who are not needed for live callers take
those who may be called by then, the earliest deadline first. For jobs of one length this keeps as many promises as
any order can (a matching in a convex bipartite graph: Glover, Naval Research Logistics Quarterly 14, 1967), and one
agent more never keeps fewer. Whoever is lost from now on is not counted. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from scheduler.clock import SECOND
from scheduler.errors import SchedulerError

if TYPE_CHECKING:
    from collections.abc import Sequence

PARTS = 100  # of an agent


@dataclass(frozen=True, slots=True)
class Due:
    """A callback that is owed: not to be begun before `begins_at`, to be begun by `deadline_at`."""

    begins_at: int
    deadline_at: int
    reservation: int = 0  # whose it is; 0: not asked
    at_once: bool = False  # before all others


@dataclass(frozen=True, slots=True)
class Crew:
    """The agents for callbacks: `spare` of them on average beside live callers (below 0: too few even for those).

    One callback takes one agent `handle_s` seconds.
    """

    spare: float
    handle_s: float

    def __post_init__(self) -> None:
        if self.handle_s < 1:
            raise SchedulerError(f"handle_s={self.handle_s}: let it be 1 or more")


@dataclass(frozen=True, slots=True)
class PromiseForecast:
    """Of `due` promises `missed` will be broken that `more` agents, there until `until_at`, would keep."""

    due: int
    missed: int
    more: int
    until_at: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """The result: the promises broken, in the order of their deadlines, and when the last callback has ended.

    `begun` are the others, in the order in which they are begun, each with when that is.
    """

    broken: tuple[Due, ...]
    ends_at: int
    begun: tuple[tuple[Due, int], ...] = ()

    @property
    def missed(self) -> int:
        """How many are not begun in time."""
        return len(self.broken)


def forecast(dues: Sequence[Due], crew: Crew, now: int) -> PromiseForecast:
    """Forecast the missed promises, and the least number of further agents that keeps all that agents can keep."""
    missed = schedule(dues, crew, 0, now).missed
    enough = len(dues) + max(0, -int(crew.spare // 1))
    lost = len(hopeless(dues, crew, now))
    low, high = 0, enough
    while low < high:
        middle = (low + high) // 2
        if schedule(dues, crew, middle, now).missed > lost:
            low = middle + 1
        else:
            high = middle
    return PromiseForecast(len(dues), missed - lost, low, schedule(dues, crew, low, now).ends_at)


def hopeless(dues: Sequence[Due], crew: Crew, now: int) -> list[Due]:
    """Give the promises that no number of agents keeps: their time is over before they may be called."""
    slot_us = round(crew.handle_s * SECOND)
    return [due for due in dues if now + _first_slot(due, slot_us, now) * slot_us > due.deadline_at]


def schedule(dues: Sequence[Due], crew: Crew, more: int, now: int, until_at: int | None = None) -> Schedule:
    """Let the crew and `more` agents call those who are due, the earliest deadline first.

    `until_at`: those agents begin no callback from then on; None: they stay. Whoever is to be called `at_once` is owed
    the call after the deadline too, as long as there is anybody to make it.
    """
    slot_us = round(crew.handle_s * SECOND)
    coming = sorted((_first_slot(due, slot_us, now), _turn(due), place) for place, due in enumerate(dues))
    alone = round(crew.spare * PARTS)
    waiting: list[tuple[int, int]] = []
    broken: list[Due] = []
    begun: list[tuple[Due, int]] = []
    slot = ended = taken = 0
    while taken < len(coming) or waiting:
        if not waiting:
            slot = max(slot, coming[taken][0])
        while taken < len(coming) and coming[taken][0] <= slot:
            heappush(waiting, coming[taken][1:])
            taken += 1
        starts_at = now + slot * slot_us
        there = alone + (more * PARTS if until_at is None or starts_at < until_at else 0)
        while waiting and _is_over(dues[waiting[0][1]], starts_at, anybody=there > 0):
            broken.append(dues[heappop(waiting)[1]])
        for _ in range(min(len(waiting), _room(max(0, there), slot))):
            begun.append((dues[heappop(waiting)[1]], starts_at))
            ended = slot + 1
        slot += 1
    return Schedule(tuple(broken), now + ended * slot_us, tuple(begun))


def changed(told: PromiseForecast, seen: PromiseForecast) -> bool:
    """Whether the new forecast differs enough from the one told before to tell people again."""
    return seen.more > told.more or abs(seen.missed - told.missed) > max(2, told.missed / 2)


def _turn(due: Due) -> int:
    return 0 if due.at_once else due.deadline_at


def _is_over(due: Due, at: int, *, anybody: bool) -> bool:
    """Say whether a callback that was not begun before `at` is not begun in time any more."""
    return due.deadline_at < at and not (due.at_once and anybody)


def _first_slot(due: Due, slot_us: int, now: int) -> int:
    return max(0, -(-(due.begins_at - now) // slot_us))


def _room(parts: int, slot: int) -> int:
    """Say how many can be begun in a slot: half an agent begins one in every other."""
    return (slot + 1) * parts // PARTS - slot * parts // PARTS
