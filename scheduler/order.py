"""Whom to call next, and why not the others. Pure: facts in, one decision out.

Who is still within the aim goes first, oldest first; then who is within the window, newest first, for that
promise is the likelier kept; then, oldest first, who is overdue: expired work never goes before live work. Within
each of the three, who was let down worst goes first.

Live callers come first. An agent is free for a callback only if everybody who waits, and every callback that
is still looking for an agent, can have another one; an agent in three queues is one agent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from scheduler.hours import Hours

IN_AIM, IN_WINDOW, OVERDUE = "in-aim", "in-window", "overdue"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An open reservation, with what is known of its customer now.

    `number_live`: he has a channel on one of our PBXs. `in_flight`: an attempt to reach him is under way.
    `watched`: callbacks are not switched on for him.
    """

    reservation: int
    queue: str
    kind: str
    clock_starts_at: int
    aim_at: int
    deadline_at: int
    due_at: int
    severity: int = 0
    lost_again: bool = False  # after his deadline: he is at his phone now
    number_live: bool = False
    in_flight: bool = False
    watched: bool = False

    @property
    def begins_at(self) -> int:
        """When it may be called at the earliest."""
        return max(self.due_at, self.clock_starts_at)


@dataclass(frozen=True, slots=True)
class Floor:
    """The agents' side, by queue: free interfaces, callers waiting, callbacks still looking for an agent.

    `room` is how many callbacks may still be begun now, whoever is free.
    """

    free: Mapping[str, Collection[str]]
    waiting: Mapping[str, int]
    looking: Mapping[str, int]
    room: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Call:
    """Call this one: which agents are free for it, and a word for every candidate (its lane, or why not)."""

    candidate: Candidate
    agents: tuple[str, ...]
    why: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Wait:
    """Call nobody before `until` (None: until something happens), and a word for every candidate."""

    until: int | None
    why: Mapping[int, str]


Decision = Call | Wait


def choose(candidates: Iterable[Candidate], floor: Floor, hours: Hours, now: int) -> Decision:
    """Choose whom to call at `now`.

    The words: watch, quiet-hours, not-due, in-flight, number-live, no-free-agent, callers-waiting, pacing;
    and for who could be called: in-aim, in-window, overdue. A second call is chosen by asking again.
    """
    may_ring, capacity = hours.may_ring(now), _Capacity(floor)
    ranked = sorted(candidates, key=lambda candidate: _rank(candidate, now))
    why = {
        candidate.reservation: _hindrance(candidate, now, may_ring=may_ring)
        or capacity.hindrance(candidate.queue)
        or lane(candidate, now)
        for candidate in ranked
    }
    for candidate in ranked:
        if why[candidate.reservation] in {IN_AIM, IN_WINDOW, OVERDUE}:
            return Call(candidate, tuple(sorted(floor.free[candidate.queue])), why)
    return Wait(_until(ranked, why, hours, now), why)


def reachable(floor: Floor) -> frozenset[str]:
    """Give the queues in which an agent can be had for a callback now: nobody else needs to be looked at."""
    capacity = _Capacity(floor)
    return frozenset(queue for queue in floor.free if capacity.hindrance(queue) is None)


def lane(candidate: Candidate, now: int) -> str:
    """Say how its promise stands."""
    if now <= candidate.aim_at:
        return IN_AIM
    return IN_WINDOW if now <= candidate.deadline_at or candidate.lost_again else OVERDUE


def _rank(candidate: Candidate, now: int) -> tuple[int, int, int, int]:
    standing = (IN_AIM, IN_WINDOW, OVERDUE).index(lane(candidate, now))
    newest_first = standing == 1
    age = -candidate.clock_starts_at if newest_first else candidate.clock_starts_at
    return standing, -candidate.severity, age, candidate.reservation


def _hindrance(candidate: Candidate, now: int, *, may_ring: bool) -> str | None:
    """Name what keeps the customer from being called, apart from agents."""
    words = (
        ("watch", candidate.watched),
        ("quiet-hours", not may_ring),
        ("not-due", candidate.begins_at > now),
        ("in-flight", candidate.in_flight),
        ("number-live", candidate.number_live),
    )
    return next((word for word, holds in words if holds), None)


def _until(ranked: list[Candidate], why: Mapping[int, str], hours: Hours, now: int) -> int | None:
    """Find the first moment that time alone will make somebody callable."""
    by_time = [one.begins_at for one in ranked if why[one.reservation] in {"not-due", "quiet-hours"}]
    return hours.next_opening(max(now, min(by_time))) if by_time else None


class _Capacity:
    """Who could still get an agent once all who come before have theirs: a matching of demands and agents."""

    def __init__(self, floor: Floor) -> None:
        self._free = floor.free
        self._room = floor.room
        self._for_callers = self._seat_all(floor.waiting, {})
        self._for_all = self._seat_all(floor.looking, self._for_callers)

    def hindrance(self, queue: str) -> str | None:
        """Name what keeps a callback in `queue` from an agent."""
        if not self._free.get(queue):
            return "no-free-agent"
        if not self._seat(queue, dict(self._for_callers), set()):
            return "callers-waiting"
        if self._room < 1 or not self._seat(queue, dict(self._for_all), set()):
            return "pacing"
        return None

    def _seat_all(self, demands: Mapping[str, int], taken: Mapping[str, str]) -> dict[str, str]:
        """Give every demand an agent while there are any; agent to the queue that takes him."""
        seated = dict(taken)
        for queue, count in demands.items():
            for _ in range(min(count, len(self._free.get(queue, ())))):
                self._seat(queue, seated, set())
        return seated

    def _seat(self, queue: str, taken: dict[str, str], asked: set[str]) -> bool:
        """Take an agent for `queue`: a spare one, or one whose queue finds another (an augmenting path)."""
        asked.add(queue)
        for agent in sorted(self._free.get(queue, ()), key=taken.__contains__):
            holder = taken.get(agent)
            if holder is None or (holder not in asked and self._seat(holder, taken, asked)):
                taken[agent] = queue
                return True
        return False
