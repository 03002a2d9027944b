"""Which customer is called next, and why the others are not. Pure: facts in, one decision out.

The policy orders the lanes, and the customers in a lane: the highest severity first. By default reservations within
the aim go first, the oldest first; then those within the window, the newest first, because that promise is more likely
to be kept. An overdue reservation is called only where no promise that can still be kept is held back. What no lost
call made has time: it goes after all others, until its deadline is as near as that of a call that is lost just now.

Live callers come first. An agent is free for a callback only if every waiting caller, and every callback that is still
looking for an agent, can have another one; an agent in three queues is one agent. The policy may keep more agents free
for callers to come: a fixed number, or as many as the load asks for, until a deadline binds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, Final

from scheduler.candidate import IN_WINDOW, OVERDUE, Candidate, lane
from scheduler.errors import SchedulerError
from scheduler.hours import Hours
from scheduler.policy import (
    KEPT_FREE,
    TOO_DEAR,
    CallbackPolicy,
    QueueLoad,
    Turn,
    binds,
    binds_at,
    cost,
    held_back,
    turn,
)


@dataclass(frozen=True, slots=True)
class QueueState:
    """The queues now: free interfaces, callers waiting, callbacks still looking for an agent, and the load of each.

    `room` is how many callbacks may still be begun now, however many agents are free. Of a queue without a load it is
    not known how busy it is.
    """

    free: Mapping[str, Collection[str]]
    waiting: Mapping[str, int]
    looking: Mapping[str, int]
    room: int = 1_000_000
    loads: Mapping[str, QueueLoad] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NextCall:
    """The candidate to call, the agents who are free for it, and a word for every candidate (its lane, or why not).

    `binds`: the deadline binds. `cost` is how many live callers will hang up for it, where the load is known.
    """

    candidate: Candidate
    agents: tuple[str, ...]
    why: Mapping[int, str]
    binds: bool = False
    cost: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Give plain values to store with the attempt; of the other candidates, how many waited for what."""
        words = Counter(word for reservation, word in self.why.items() if reservation != self.candidate.reservation)
        facts = {"why": self.why[self.candidate.reservation], "agents": list(self.agents), "of": len(self.why)}
        return facts | {"binds": self.binds, "cost": self.cost, "others": dict(words)}


@dataclass(frozen=True, slots=True)
class NoCall:
    """Call nobody before `until` (None: until something happens), and a word for every candidate."""

    until: int | None
    why: Mapping[int, str]


Decision = NextCall | NoCall
BINDS: Final = "binds"


def choose(candidates: Iterable[Candidate], matching: AgentMatching, hours: Hours, now: int) -> Decision:
    """Choose whom to call at `now`.

    The words: watch, paused, quiet-hours, not-due, in-flight, number-live, trunk-rests, agents-rest, agent-away,
    lane-not-called, no-free-agent, callers-waiting, pacing, kept-free, too-dear; and for who could be called: in-aim,
    in-window, overdue. A second call is chosen by asking again.
    """
    policy, known = matching.policy, dict[int, bool]()
    first: tuple[Turn, Candidate] | None = None
    why: dict[int, str] = {}
    everybody = list(candidates)
    for one in everybody:
        place, standing = turn(one, policy, now), lane(one, now)
        word = _hindrance(one, now, may_ring=_may_ring(one.hours or hours, known, now))
        if word is None:
            word = _agentless(one, standing, matching, now) if place else "lane-not-called"
        why[one.reservation] = word or standing
        if word is None and place and (first is None or place < first[0]):
            first = place, one
    if first is None:
        return NoCall(_first(everybody, why, hours, policy, now), why)
    return _call(first[1], matching, why, now)


def _call(chosen: Candidate, matching: AgentMatching, why: Mapping[int, str], now: int) -> NextCall:
    load = matching.state.loads.get(chosen.queue)
    agents = tuple(sorted(matching.state.free[chosen.queue])) if chosen.agent is None else (chosen.agent,)
    return NextCall(
        chosen, agents, why, binds(chosen, matching.policy, now), None if load is None else round(cost(load), 4)
    )


def _agentless(candidate: Candidate, standing: str, matching: AgentMatching, now: int) -> str | None:
    """Name what keeps the agent away whom it needs: any of the queue, or one alone."""
    binding = binds(candidate, matching.policy, now)
    if candidate.agent is None:
        return matching.hindrance(candidate.queue, standing, binding=binding)
    return matching.hindrance_of(candidate.agent, candidate.queue, standing, binding=binding)


def _may_ring(hours: Hours, known: dict[int, bool], now: int) -> bool:
    """Say whether a phone may ring by these hours; asked once, however many candidates have them."""
    if id(hours) not in known:
        known[id(hours)] = hours.may_ring(now)
    return known[id(hours)]


def _hindrance(candidate: Candidate, now: int, *, may_ring: bool) -> str | None:
    """Name what keeps the customer from being called, apart from agents."""
    words = (
        ("watch", candidate.watched),
        ("paused", candidate.paused),
        ("quiet-hours", not may_ring),
        ("not-due", candidate.begins_at > now),
        ("in-flight", candidate.in_flight),
        ("number-live", candidate.number_live),
        ("trunk-rests", candidate.trunk_rests),
        ("agents-rest", candidate.agents_rest),
        ("agent-away", candidate.agent_away),
    )
    return next((word for word, holds in words if holds), None)


def until(candidate: Candidate, word: str, hours: Hours, policy: CallbackPolicy, now: int) -> int | None:
    """Say when the obstacle that `word` names ends by time alone; None: time alone does not end it."""
    at = _ends(candidate, word, policy, now)
    return None if at is None else _opening(candidate.hours or hours, at)


def _ends(candidate: Candidate, word: str, policy: CallbackPolicy, now: int) -> int | None:
    """Say the same, without asking whether a phone may ring then."""
    if word in {"not-due", "quiet-hours"}:
        return max(now, candidate.begins_at)
    will_bind = policy.bind_s and binds_at(candidate, policy) > now
    if will_bind and (word == KEPT_FREE or (word == TOO_DEAR and policy.bind_price == inf)):
        return binds_at(candidate, policy)
    return None


def _first(
    everybody: Iterable[Candidate], why: Mapping[int, str], hours: Hours, policy: CallbackPolicy, now: int
) -> int | None:
    """Give the first moment at which time alone will make somebody callable; openings are asked for once."""
    ends: dict[int, tuple[int, Hours]] = {}
    for one in everybody:
        at, own = _ends(one, why[one.reservation], policy, now), one.hours or hours
        if at is not None:
            ends[id(own)] = min(at, ends.get(id(own), (at, own))[0]), own
    openings = (_opening(own, at) for at, own in ends.values())
    return min((opening for opening in openings if opening is not None), default=None)


def _opening(hours: Hours, at: int) -> int | None:
    """Say when a phone may ring next; None where these hours never let it."""
    try:
        return hours.next_opening(at)
    except SchedulerError:
        return None


class AgentMatching:
    """Which queues still have an agent for a callback: a bipartite matching of agents to the demands that go first.

    It is computed once for one state and policy, however many candidates there are.
    """

    def __init__(self, state: QueueState, policy: CallbackPolicy) -> None:
        self.state, self.policy = state, policy
        self._for_callers = self._match_all(state.waiting, {})
        self._for_all = self._match_all(state.looking, self._for_callers)
        self._spare: dict[str, int] = {}
        self._known: dict[tuple[str, str, bool], str | None] = {}

    def hindrance(self, queue: str, standing: str, *, binding: bool = False) -> str | None:
        """Name what keeps a callback of this lane in `queue` from an agent; `binding`: its deadline binds."""
        key = queue, standing, binding
        if key not in self._known:
            self._known[key] = self._no_agent(queue) or self._held_back(queue, standing, binding=binding)
        return self._known[key]

    def hindrance_of(self, agent: str, queue: str, standing: str, *, binding: bool = False) -> str | None:
        """Name what keeps a callback in `queue` from this agent in particular: whoever goes first may need that one."""
        key = f"{queue} {agent}", standing, binding
        if key not in self._known:
            self._known[key] = self._without(agent, queue) or self._held_back(queue, standing, binding=binding)
        return self._known[key]

    def _without(self, agent: str, queue: str) -> str | None:
        """Name what holds where this agent is taken from all others; None: each of them has another one."""
        if agent not in self.state.free.get(queue, ()):
            return "agent-away"
        others = {name: set(agents) - {agent} for name, agents in self.state.free.items()}
        without = AgentMatching(replace(self.state, free=others), self.policy)
        if len(without._for_callers) < len(self._for_callers):
            return "callers-waiting"
        needed = len(without._for_all) < len(self._for_all)
        return "pacing" if needed or self.state.room <= 0 else None

    def callable_in(self) -> dict[str, frozenset[str]]:
        """Give by lane the queues in which somebody could be called, and under BINDS where only a deadline that binds.

        Nobody else needs to be looked at.
        """
        lanes = {name: self._open_in(name) for name in self.policy.lanes}
        live = [queues for name, queues in lanes.items() if name != OVERDUE]
        binding = self._open_in(IN_WINDOW, binding=True) if self.policy.bind_s and live else frozenset[str]()
        return lanes | {BINDS: binding.difference(frozenset.intersection(*live)) if live else binding}

    def _open_in(self, standing: str, *, binding: bool = False) -> frozenset[str]:
        return frozenset(queue for queue in self.state.free if not self.hindrance(queue, standing, binding=binding))

    def _spare_in(self, queue: str) -> int:
        """Count the callbacks in `queue` that could have an agent now, when every demand that goes first has one."""
        if queue not in self._spare:
            most = 1 + self.policy.keep
            taken = dict(self._for_all)
            matched = (self._match(queue, taken, set()) for _ in range(most))
            self._spare[queue] = sum(matched) if self.state.room > 0 else 0
        return self._spare[queue]

    def _no_agent(self, queue: str) -> str | None:
        if not self.state.free.get(queue):
            return "no-free-agent"
        if self._spare_in(queue):
            return None
        spare = self._match(queue, dict(self._for_callers), set())
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
        return held_back(queue, standing, self.policy, spare, self.state.loads.get(queue), binding=binding)

    def _sharing(self, queue: str) -> set[str]:
        """Give the queues in which a callback could have an agent, and that share any, by however many steps."""
        free = {name: set(agents) for name, agents in self.state.free.items() if self._spare_in(name)}
        found, agents = {queue}, free[queue]
        while more := {name for name in free.keys() - found if free[name] & agents}:
            found |= more
            agents = agents.union(*(free[name] for name in more))
        return found

    def _match_all(self, demands: Mapping[str, int], taken: Mapping[str, str]) -> dict[str, str]:
        """Give every demand an agent while there are any; the result maps an agent to a queue."""
        matched = dict(taken)
        for queue, count in demands.items():
            for _ in range(min(count, len(self.state.free.get(queue, ())))):
                self._match(queue, matched, set())
        return matched

    def _match(self, queue: str, taken: dict[str, str], asked: set[str]) -> bool:
        """Match an agent to `queue`: a spare one, or one whose queue finds another agent (an augmenting path)."""
        asked.add(queue)
        for agent in sorted(self.state.free.get(queue, ()), key=taken.__contains__):
            holder = taken.get(agent)
            if holder is None or (holder not in asked and self._match(holder, taken, asked)):
                taken[agent] = queue
                return True
        return False
