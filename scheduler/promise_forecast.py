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
    """The result: the promises broken, in the order of their deadlines, and when the last callback has ended."""

    broken: tuple[Due, ...]
    ends_at: int

    @property
    def missed(self) -> int:
        """How many are not begun in time."""
        return len(self.broken)


def forecast(dues: Sequence[Due], crew: Crew, now: int) -> PromiseForecast:
    """Forecast the missed promises, and the least number of further agents that keeps all that agents can keep."""
    missed = schedule(dues, crew, 0, now).missed
    enough = len(dues) + max(0, -int(crew.spare // 1))
    hopeless = schedule(dues, crew, enough, now).missed  # not to be called before their time is over
    low, high = 0, enough
    while low < high:
        middle = (low + high) // 2
        if schedule(dues, crew, middle, now).missed > hopeless:
            low = middle + 1
        else:
            high = middle
    return PromiseForecast(len(dues), missed - hopeless, low, schedule(dues, crew, low, now).ends_at)


def schedule(dues: Sequence[Due], crew: Crew, more: int, now: int) -> Schedule:
    """Let the crew and `more` agents call those who are due, the earliest deadline first."""
    slot_us = round(crew.handle_s * SECOND)
    coming = sorted(
        (max(0, -(-(due.begins_at - now) // slot_us)), due.deadline_at, place) for place, due in enumerate(dues)
    )
    parts = max(0, round(crew.spare * PARTS) + more * PARTS)
    waiting: list[tuple[int, int]] = []
    broken: list[Due] = []
    slot = ended = taken = 0
    while taken < len(coming) or waiting:
        if not waiting:
            slot = max(slot, coming[taken][0])
        while taken < len(coming) and coming[taken][0] <= slot:
            heappush(waiting, coming[taken][1:])
            taken += 1
        starts_at = now + slot * slot_us
        while waiting and waiting[0][0] < starts_at:
            broken.append(dues[heappop(waiting)[1]])
        for _ in range(min(len(waiting), _room(parts, slot))):
            heappop(waiting)
            ended = slot + 1
        slot += 1
    return Schedule(tuple(broken), now + ended * slot_us)


def changed(told: PromiseForecast, seen: PromiseForecast) -> bool:
    """Whether the new forecast differs enough from the one told before to tell people again."""
    return seen.more > told.more or abs(seen.missed - told.missed) > max(2, told.missed / 2)


def _room(parts: int, slot: int) -> int:
    """Say how many can be begun in a slot: half an agent begins one in every other."""
    return (slot + 1) * parts // PARTS - slot * parts // PARTS
