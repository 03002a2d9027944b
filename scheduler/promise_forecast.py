"""Forecast of missed promises: how many with the agents present, and how many more agents would keep them.

The time ahead is cut into slots of one callback each. In each slot the agents who are not needed for live callers take
those who may be called by then, in the order in which the service calls them (`scheduler/order.py`): within the aim
the oldest first, then within the window the newest, in each the highest severity before all others; at the end who was
to be called at once and is late. That leaves more promises to break than the earliest deadline first would, so the
forecast must follow it. One agent more never keeps fewer: whoever waits beside more agents would wait beside fewer.
Whoever is lost from now on is not counted. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from scheduler.clock import SECOND
from scheduler.errors import SchedulerError

if TYPE_CHECKING:
    from collections.abc import Sequence

PARTS = 100  # of an agent


@dataclass(frozen=True, slots=True)
class Due:
    """A callback that is owed: not begun before `begins_at`, to be begun by `aim_at`, and at last by `deadline_at`."""

    begins_at: int
    deadline_at: int
    reservation: int = 0  # whose it is; 0: not asked
    at_once: bool = False  # a person said so: owed after the deadline too
    aim_at: int | None = None  # None: there is no other aim than the deadline
    severity: int = 0


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
    """Let the crew and `more` agents call those who are due, in the order in which the service calls them.

    `until_at`: those agents begin no callback from then on; None: they stay. Whoever is to be called `at_once` is owed
    the call after the deadline too, as long as there is anybody to make it.
    """
    slot_us = round(crew.handle_s * SECOND)
    coming = sorted((_first_slot(due, slot_us, now), due.deadline_at, place) for place, due in enumerate(dues))
    alone = round(crew.spare * PARTS)
    line = _Line(dues)
    broken: list[Due] = []
    begun: list[tuple[Due, int]] = []
    slot = ended = taken = 0
    while taken < len(coming) or line.places:
        if not line.places:
            slot = max(slot, coming[taken][0])
        while taken < len(coming) and coming[taken][0] <= slot:
            line.join(coming[taken][2])
            taken += 1
        starts_at = now + slot * slot_us
        there = alone + (more * PARTS if until_at is None or starts_at < until_at else 0)
        broken += line.over(starts_at, anybody=there > 0)
        for _ in range(min(len(line.places), _room(max(0, there), slot))):
            begun.append((line.first(starts_at), starts_at))
            ended = slot + 1
        slot += 1
    return Schedule(tuple(broken), now + ended * slot_us, tuple(begun))


@dataclass(slots=True)
class _Line:
    """Those who may be called, by their places in `dues`: the first by the service's order, and those who are too late.

    Lanes are left for later ones alone. So whose aim, or deadline, has passed is sorted anew only when that one's turn
    has come.
    """

    dues: Sequence[Due]
    places: set[int] = field(default_factory=set)
    _in_aim: list[tuple[int, int, int]] = field(default_factory=list)
    _in_window: list[tuple[int, int, int]] = field(default_factory=list)
    _overdue: list[tuple[int, int, int]] = field(default_factory=list)
    _by_deadline: list[tuple[int, int]] = field(default_factory=list)

    def join(self, place: int) -> None:
        """Let one more wait."""
        due = self.dues[place]
        self.places.add(place)
        heappush(self._in_aim, (-due.severity, _aim(due), place))
        if not due.at_once:
            heappush(self._by_deadline, (due.deadline_at, place))

    def over(self, at: int, *, anybody: bool) -> list[Due]:
        """Take out those whom nobody begins to call in time any more, in the order of their deadlines."""
        found = []
        while self._by_deadline and self._by_deadline[0][0] < at:
            place = heappop(self._by_deadline)[1]
            if place in self.places:
                found.append(place)
        if not anybody:
            found += sorted(one for one in self.places if self.dues[one].at_once and self.dues[one].deadline_at < at)
        self.places.difference_update(found)
        return [self.dues[place] for place in found]

    def first(self, at: int) -> Due:
        """Take out who is called next; there must be somebody."""
        while self._in_aim:
            severity, aim_at, place = heappop(self._in_aim)
            if place not in self.places:
                continue
            if aim_at >= at:
                return self._called(place)
            heappush(self._in_window, (severity, -aim_at, place))
        while self._in_window:
            severity, aim_before, place = heappop(self._in_window)
            if place not in self.places:
                continue
            if self.dues[place].deadline_at >= at:
                return self._called(place)
            heappush(self._overdue, (severity, -aim_before, place))
        while (place := heappop(self._overdue)[2]) not in self.places:
            pass
        return self._called(place)

    def _called(self, place: int) -> Due:
        self.places.discard(place)
        return self.dues[place]


def _aim(due: Due) -> int:
    return due.deadline_at if due.aim_at is None else due.aim_at


def changed(told: PromiseForecast, seen: PromiseForecast) -> bool:
    """Whether the new forecast differs enough from the one told before to tell people again."""
    return seen.more > told.more or abs(seen.missed - told.missed) > max(2, told.missed / 2)


def _first_slot(due: Due, slot_us: int, now: int) -> int:
    return max(0, -(-(due.begins_at - now) // slot_us))


def _room(parts: int, slot: int) -> int:
    """Say how many can be begun in a slot: half an agent begins one in every other."""
    return (slot + 1) * parts // PARTS - slot * parts // PARTS
