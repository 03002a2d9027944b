"""Whom to call next, and why not the others. Pure: facts in, one decision out.

The policy says which lane goes first, and who in it; in a lane, who was let down worst goes first. By default who is
within the aim goes first, oldest first; then who is within the window, newest first, for that promise is the likelier
kept. Expired work never goes before live work: who is overdue is called only where no live promise is held back.

Live callers come first. An agent is free for a callback only if everybody who waits, and every callback that is still
looking for an agent, can have another one; an agent in three queues is one agent. More agents may be kept free for
those who will call: so many, or as many as the load asks for, until a deadline binds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final

from scheduler.candidate import IN_WINDOW, OVERDUE, Candidate, lane
from scheduler.errors import SchedulerError
from scheduler.hours import Hours
from scheduler.policy import KEPT_FREE, TOO_DEAR, Load, Policy, Turn, binds, binds_at, cost, held_back, turn


@dataclass(frozen=True, slots=True)
class Floor:
    """The agents' side, by queue: free interfaces, callers waiting, callbacks still looking for an agent, the load.

    `room` is how many callbacks may still be begun now, whoever is free. Of a queue without a load nobody knows how
    busy it is.
    """

    free: Mapping[str, Collection[str]]
    waiting: Mapping[str, int]
    looking: Mapping[str, int]
    room: int = 1_000_000
    loads: Mapping[str, Load] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """Call this one: which agents are free for it, and a word for every candidate (its lane, or why not).

    `binds`: its deadline does. `cost` says how many live callers it will cost, where the load is known.
    """

    candidate: Candidate
    agents: tuple[str, ...]
    why: Mapping[int, str]
    binds: bool = False
    cost: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values, to be kept with the attempt; of the others, how many waited for what."""
        words = Counter(word for reservation, word in self.why.items() if reservation != self.candidate.reservation)
        facts = {"why": self.why[self.candidate.reservation], "agents": list(self.agents), "of": len(self.why)}
        return facts | {"binds": self.binds, "cost": self.cost, "others": dict(words)}


@dataclass(frozen=True, slots=True)
class Wait:
    """Call nobody before `until` (None: until something happens), and a word for every candidate."""

    until: int | None
    why: Mapping[int, str]


Decision = Call | Wait
BINDS: Final = "binds"


def choose(candidates: Iterable[Candidate], desk: Desk, hours: Hours, now: int) -> Decision:
    """Choose whom to call at `now`.

    The words: watch, quiet-hours, not-due, in-flight, number-live, trunk-rests, agents-rest, lane-not-called,
    no-free-agent, callers-waiting, pacing, kept-free, too-dear; and for who could be called: in-aim, in-window,
    overdue. A second call is chosen by asking again.
    """
    policy, known = desk.policy, dict[int, bool]()
    first: tuple[Turn, Candidate] | None = None
    why: dict[int, str] = {}
    everybody = list(candidates)
    for one in everybody:
        place, standing = turn(one, policy, now), lane(one, now)
        word = _hindrance(one, now, may_ring=_may_ring(one.hours or hours, known, now))
        if word is None:
            word = desk.hindrance(one.queue, standing, binding=binds(one, policy, now)) if place else "lane-not-called"
        why[one.reservation] = word or standing
        if word is None and place and (first is None or place < first[0]):
            first = place, one
    if first is None:
        return Wait(_first(everybody, why, hours, policy, now), why)
    return _call(first[1], desk, why, now)


def _call(chosen: Candidate, desk: Desk, why: Mapping[int, str], now: int) -> Call:
    load = desk.floor.loads.get(chosen.queue)
    agents = tuple(sorted(desk.floor.free[chosen.queue]))
    return Call(chosen, agents, why, binds(chosen, desk.policy, now), None if load is None else round(cost(load), 4))


def _may_ring(hours: Hours, known: dict[int, bool], now: int) -> bool:
    """Ask once, however many have these hours."""
    if id(hours) not in known:
        known[id(hours)] = hours.may_ring(now)
    return known[id(hours)]


def _hindrance(candidate: Candidate, now: int, *, may_ring: bool) -> str | None:
    """Name what keeps the customer from being called, apart from agents."""
    words = (
        ("watch", candidate.watched),
        ("quiet-hours", not may_ring),
        ("not-due", candidate.begins_at > now),
        ("in-flight", candidate.in_flight),
        ("number-live", candidate.number_live),
        ("trunk-rests", candidate.trunk_rests),
        ("agents-rest", candidate.agents_rest),
    )
    return next((word for word, holds in words if holds), None)


def until(candidate: Candidate, word: str, hours: Hours, policy: Policy, now: int) -> int | None:
    """Say when time alone will end what this word says keeps him from being called; None: time alone will not."""
    at = _ends(candidate, word, policy, now)
    return None if at is None else _opening(candidate.hours or hours, at)


def _ends(candidate: Candidate, word: str, policy: Policy, now: int) -> int | None:
    """Say the same, whether or not a phone may ring then."""
    if word in {"not-due", "quiet-hours"}:
        return max(now, candidate.begins_at)
    will_bind = policy.bind_s and binds_at(candidate, policy) > now
    if will_bind and (word == KEPT_FREE or (word == TOO_DEAR and policy.bind_price == inf)):
        return binds_at(candidate, policy)
    return None


def _first(
    everybody: Iterable[Candidate], why: Mapping[int, str], hours: Hours, policy: Policy, now: int
) -> int | None:
    """Give the first moment at which time alone will make somebody callable; openings are asked for once."""
    ends: dict[int, tuple[int, Hours]] = {}
    for one in everybody:
        at, his = _ends(one, why[one.reservation], policy, now), one.hours or hours
        if at is not None:
            ends[id(his)] = min(at, ends.get(id(his), (at, his))[0]), his
    openings = (_opening(his, at) for at, his in ends.values())
    return min((opening for opening in openings if opening is not None), default=None)


def _opening(hours: Hours, at: int) -> int | None:
    """Say when a phone may ring next; None where these hours never let it."""
    try:
        return hours.next_opening(at)
    except SchedulerError:
        return None


class Desk:
    """Who could still get an agent once all who come before have theirs: a matching of demands and agents.

    Worked out once for one floor and policy, however many candidates there are.
    """

    def __init__(self, floor: Floor, policy: Policy) -> None:
        self.floor, self.policy = floor, policy
        self._for_callers = self._seat_all(floor.waiting, {})
        self._for_all = self._seat_all(floor.looking, self._for_callers)
        self._spare: dict[str, int] = {}
        self._known: dict[tuple[str, str, bool], str | None] = {}

    def hindrance(self, queue: str, standing: str, *, binding: bool = False) -> str | None:
        """Name what keeps a callback of this lane in `queue` from an agent; `binding`: its deadline binds."""
        key = queue, standing, binding
        if key not in self._known:
            self._known[key] = self._no_agent(queue) or self._held_back(queue, standing, binding=binding)
        return self._known[key]

    def callable_in(self) -> dict[str, frozenset[str]]:
        """Give by lane the queues in which somebody could be called, and under BINDS where only a deadline that binds.

        Nobody else needs to be looked at.
        """
        lanes = {name: self._open_in(name) for name in self.policy.lanes}
        live = [queues for name, queues in lanes.items() if name != OVERDUE]
        binding = self._open_in(IN_WINDOW, binding=True) if self.policy.bind_s and live else frozenset[str]()
        return lanes | {BINDS: binding.difference(frozenset.intersection(*live)) if live else binding}

    def _open_in(self, standing: str, *, binding: bool = False) -> frozenset[str]:
        return frozenset(queue for queue in self.floor.free if not self.hindrance(queue, standing, binding=binding))

    def _spare_in(self, queue: str) -> int:
        """Count the callbacks in `queue` that could have an agent at once, with all others who want one."""
        if queue not in self._spare:
            most = 1 + self.policy.keep
            taken = dict(self._for_all)
            seated = (self._seat(queue, taken, set()) for _ in range(most))
            self._spare[queue] = sum(seated) if self.floor.room > 0 else 0
        return self._spare[queue]

    def _no_agent(self, queue: str) -> str | None:
        if not self.floor.free.get(queue):
            return "no-free-agent"
        if self._spare_in(queue):
            return None
        spare = self._seat(queue, dict(self._for_callers), set())
        return "pacing" if spare else "callers-waiting"

    def _held_back(self, queue: str, standing: str, *, binding: bool) -> str | None:
        """Name what holds it back for live callers; broken promises also where that holds a live promise back.

        Otherwise a cheap callback to somebody who is overdue would go before a dear one to somebody who is not.
        """
        own = self._held_back_alone(queue, standing, binding=binding)
        if own or standing != OVERDUE or not self.policy.in_lanes:
            return own
        live = [(other, name) for other in self._sharing(queue) for name in self.policy.lanes if name != OVERDUE]
        return next((word for other, name in live if (word := self._held_back_alone(other, name))), None)

    def _held_back_alone(self, queue: str, standing: str, *, binding: bool = False) -> str | None:
        spare = self._spare_in(queue)
        return held_back(queue, standing, self.policy, spare, self.floor.loads.get(queue), binding=binding)

    def _sharing(self, queue: str) -> set[str]:
        """Give the queues in which a callback could have an agent, and that share any, by however many steps."""
        free = {name: set(agents) for name, agents in self.floor.free.items() if self._spare_in(name)}
        found, agents = {queue}, free[queue]
        while more := {name for name in free.keys() - found if free[name] & agents}:
            found |= more
            agents = agents.union(*(free[name] for name in more))
        return found

    def _seat_all(self, demands: Mapping[str, int], taken: Mapping[str, str]) -> dict[str, str]:
        """Give every demand an agent while there are any; agent to the queue that takes him."""
        seated = dict(taken)
        for queue, count in demands.items():
            for _ in range(min(count, len(self.floor.free.get(queue, ())))):
                self._seat(queue, seated, set())
        return seated

    def _seat(self, queue: str, taken: dict[str, str], asked: set[str]) -> bool:
        """Take an agent for `queue`: a spare one, or one whose queue finds another (an augmenting path)."""
        asked.add(queue)
        for agent in sorted(self.floor.free.get(queue, ()), key=taken.__contains__):
            holder = taken.get(agent)
            if holder is None or (holder not in asked and self._seat(holder, taken, asked)):
                taken[agent] = queue
                return True
        return False
