"""Discrete-event simulation of one day of a call centre: callers, agents and callbacks.

An event queue, no clock: callers come, wait, are served or hang up, and may come again; agents come and go. Waits
follow from the agents present. The callback rules are a port: what is promised, whom to call now, and what follows
an attempt.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import pairwise
from operator import attrgetter
from typing import Protocol

from scheduler.candidate import Candidate
from scheduler.clock import SECOND
from scheduler.promise import Promise
from scheduler.simulation.agents import Agents
from scheduler.simulation.day import (
    HUNG_UP,
    SERVED,
    STILL_WAITING,
    AgentWork,
    Arrival,
    Behaviour,
    InboundCall,
    LostCaller,
    Ring,
    SimulatedDay,
)
from scheduler.simulation.draws import shares
from scheduler.simulation.presence import AgentDay

_LATELY_S = 600  # how busy it is now; of 2, 5, 10 and 30 minutes the best on the first half of the month
_ANSWERS = 1
_NUMBER = attrgetter("reservation")


@dataclass(frozen=True, slots=True)
class CentreState:
    """The state of the centre when the rules are asked whom to call.

    `free` gives the free agents by queue: no caller waits for any of them. `staffed` and `idle` count agents;
    `calls_s` is how many calls a second came in lately.
    """

    free: Mapping[str, Collection[str]]
    staffed: int
    idle: int
    calls_s: float


class CallbackRules(Protocol):
    """The rules that the simulation asks."""

    def promised(self, lost_at: int) -> Promise:
        """Say what is promised to a caller who is lost now."""

    @property
    def call_back(self) -> bool:
        """Whether anybody is called back at all."""

    def choose(self, candidates: Sequence[Candidate], state: CentreState, now: int) -> Candidate | None:
        """Choose whom to call now; None to wait. `candidates` stand in the order in which they were lost."""

    def after(self, outcome: str, tries: int, now: int) -> int | None:
        """Say when to try again after an attempt that was not answered; None: never."""


@dataclass(slots=True)
class _Caller:
    arrival: Arrival
    chance: Iterator[float]  # of this caller, so that the caller behaves the same under every policy
    call: InboundCall | None = None
    answers: Iterator[float] | None = None  # apart, so that a callback does not change the caller's patience
    ringing: bool = False
    lost: LostCaller | None = None


class World:
    """The simulation of one day. Build it, and `run` it once."""

    def __init__(
        self,
        arrivals: Iterable[Arrival],
        agent_days: Iterable[AgentDay],
        behaviour: Behaviour,
        rules: CallbackRules,
        seed: int,
        ends_at: int,
    ) -> None:
        self._behaviour, self._rules, self._seed, self._ends_at = behaviour, rules, seed, ends_at
        self._events: list[tuple[int, int, Callable[..., None], tuple[object, ...]]] = []
        self._now = self._count = 0
        agent_days = tuple(agent_days)
        self._agents = Agents(agent_days)
        self._waiting: dict[str, list[tuple[int, int, _Caller, InboundCall]]] = defaultdict(list)
        self._candidates: list[Candidate] = []  # the lost callers whom nobody calls now, and who do not call
        self._callers: dict[int, _Caller] = {}
        self._lately: deque[int] = deque()
        self.simulated = SimulatedDay()
        self._rest: Counter[str] = Counter()  # of agents: breaks that are due, in microseconds
        self._rest_by: dict[str, int] = {}
        for agent_day in agent_days:
            self._at(agent_day.there[0][0], self._comes, agent_day.agent)
            self._at(agent_day.there[-1][1], self._agents.goes, agent_day.agent)
            for (_, leaves), (returns, _) in pairwise(agent_day.there):
                self._at(leaves, self._leaves, agent_day.agent, returns - leaves)
        for arrival in arrivals:
            caller = _Caller(arrival, shares(seed, arrival.caller))
            self._callers[arrival.caller] = caller
            self._at(arrival.at, self._calls, caller)

    def run(self) -> SimulatedDay:
        """Run all events of the day."""
        while self._events:
            self._now, _, happen, arguments = heappop(self._events)
            happen(*arguments)
            if self._agents.free and self._candidates:
                self._call_back()
        return self.simulated

    # Agents

    def _comes(self, agent: str) -> None:
        self._idle(agent, free=self._agents.comes(agent))

    def _freed(self, agent: str) -> None:
        self._idle(agent, free=self._agents.release(agent))

    def _leaves(self, agent: str, rest: int) -> None:
        """A break of the agent is due."""
        self._rest[agent] += rest
        self._rest_by.setdefault(agent, self._now + self._behaviour.rest_within_s * SECOND)
        self._idle(agent, free=self._agents.is_free(agent))

    def _idle(self, agent: str, *, free: bool) -> None:
        """Give a free agent the next caller, or the break that is due, if no caller waits or it is late."""
        if not free:
            return
        wanted = any(self._head(queue) for queue in self._agents.queues(agent))
        if agent in self._rest and (not wanted or self._now >= self._rest_by[agent]):
            self._agents.rests(agent)
            del self._rest_by[agent]
            self._at(self._now + self._rest.pop(agent), self._comes, agent)
        elif wanted:
            self._next_caller(agent)

    def _next_caller(self, agent: str) -> None:
        """Give a free agent the caller who is next."""
        heads = [head for queue in self._agents.queues(agent) if (head := self._head(queue)) is not None]
        _, _, caller, _ = heappop(self._waiting[min(heads)[2].arrival.queue])
        self._agents.bind(agent)
        self._serve(caller, agent)

    def _head(self, queue: str) -> tuple[int, int, _Caller, InboundCall] | None:
        """Find the first caller in a queue; those who hung up are removed."""
        line = self._waiting[queue]
        while line and line[0][3].end != STILL_WAITING:
            heappop(line)
        return line[0] if line else None

    # Live callers

    def _calls(self, caller: _Caller) -> None:
        """A call comes in, and is served at once or waits."""
        queue = caller.arrival.queue
        caller.call = InboundCall(caller.arrival.caller, queue, self._now, redial=caller.lost is not None)
        self.simulated.calls.append(caller.call)
        self._lately.append(self._now)
        agent = self._agents.take(queue)
        if agent is not None:
            self._serve(caller, agent)
            return
        turn = self._now - caller.arrival.ahead_s * SECOND
        heappush(self._waiting[queue], (turn, len(self.simulated.calls), caller, caller.call))
        patience_s = self._behaviour.patience[queue].draw(caller.chance)
        if patience_s is not None:
            self._after(patience_s, self._hangs_up, caller, caller.call)

    def _serve(self, caller: _Caller, agent: str) -> None:
        self._ends_wait(caller, SERVED)
        self._close(caller, "served")
        self._work(agent, self._now, caller)

    def _hangs_up(self, caller: _Caller, call: InboundCall) -> None:
        """The caller's patience has ended: a caller who still waits is lost, and may call again."""
        if call.end != STILL_WAITING:
            return
        self._ends_wait(caller, HUNG_UP)
        self._lose(caller)
        again_s = self._behaviour.redial.draw(caller.chance)
        if again_s is not None and self._now + round(again_s * SECOND) < self._ends_at:
            self._after(again_s, self._calls_again, caller)

    def _calls_again(self, caller: _Caller) -> None:
        """The caller calls again unless reached meanwhile; while a callback rings, later."""
        if caller.lost is None or caller.lost.closed == "reached":
            return
        if caller.ringing:
            self._after(self._behaviour.ring_s, self._calls_again, caller)
            return
        if caller.lost.redialled_at is None:
            caller.lost.redialled_at = self._now
        self._withhold(caller.lost)
        self._calls(caller)

    def _ends_wait(self, caller: _Caller, end: str) -> None:
        if caller.call is not None:
            caller.call.until, caller.call.end = self._now, end

    # Lost callers

    def _lose(self, caller: _Caller) -> None:
        """Promise a callback; a caller lost again keeps the earlier promise, and is one reservation."""
        if caller.lost is not None and caller.lost.closed is None:
            caller.lost.losses += 1
            self._offer(caller.lost)
            return
        promise, number = self._rules.promised(self._now), len(self.simulated.lost)
        queue, start_at = caller.arrival.queue, promise.clock_starts_at
        caller.lost = LostCaller(number, caller.arrival.caller, queue, self._now, promise, start_at)
        self.simulated.lost.append(caller.lost)
        self._offer(caller.lost)
        self._at(start_at, self._look)

    def _call_back(self) -> None:
        """Begin callbacks as long as the rules find one."""
        while self._agents.free:
            chosen = self._rules.choose(self._candidates, self._state(), self._now)
            if chosen is None:
                return
            self._dial(self._callers[self.simulated.lost[chosen.reservation].caller])

    def _state(self) -> CentreState:
        while self._lately and self._lately[0] <= self._now - _LATELY_S * SECOND:
            self._lately.popleft()
        calls_s = len(self._lately) / _LATELY_S
        return CentreState(self._agents.by_queue(), self._agents.staffed, self._agents.free, calls_s)

    def _dial(self, caller: _Caller) -> None:
        lost, agent = caller.lost, self._agents.take(caller.arrival.queue)
        if lost is None or agent is None:
            raise AssertionError("the rules chose somebody whom no free agent can call")
        if lost.dialled_at is None:
            lost.dialled_at = self._now
        caller.ringing = True
        self._withhold(lost)
        self._after(self._behaviour.ring_s, self._rung, caller, lost, agent, self._now)

    def _rung(self, caller: _Caller, lost: LostCaller, agent: str, since: int) -> None:
        caller.ringing = False
        caller.answers = caller.answers or shares(self._seed, caller.arrival.caller, _ANSWERS)
        answered = next(caller.answers) < self._behaviour.answer_rate
        self.simulated.rings.append(Ring(lost.number, lost.caller, agent, since, self._now, answered))
        if answered:
            lost.reached_at = self._now
            self._close(caller, "reached")
            self._work(agent, since, caller)
            return
        self._tries_again(caller, lost)
        self.simulated.work.append(AgentWork(agent, since, self._now))
        self._freed(agent)

    def _tries_again(self, caller: _Caller, lost: LostCaller) -> None:
        due_at = self._rules.after("no-answer", lost.tries, self._now)
        lost.tries += 1
        if due_at is None:
            self._close(caller, "given-up")
            return
        lost.due_at = due_at
        self._offer(lost)
        self._at(due_at, self._look)

    def _close(self, caller: _Caller, why: str) -> None:
        if caller.lost is not None and caller.lost.closed is None:
            caller.lost.closed = why
            self._withhold(caller.lost)

    def _offer(self, lost: LostCaller) -> None:
        """Let the rules choose a lost caller, if they choose any."""
        if not self._rules.call_back:
            return
        promise = lost.promise
        start_at, aim_at, deadline_at = promise.clock_starts_at, promise.aim_at, promise.deadline_at
        one = Candidate(lost.number, lost.queue, "abandoned", start_at, aim_at, deadline_at, due_at=lost.due_at)
        insort(self._candidates, one, key=_NUMBER)

    def _withhold(self, lost: LostCaller) -> None:
        """Let the rules no longer choose a lost caller, if they could."""
        place = bisect_left(self._candidates, lost.number, key=_NUMBER)
        if place < len(self._candidates) and self._candidates[place].reservation == lost.number:
            del self._candidates[place]

    # Time

    def _work(self, agent: str, since: int, caller: _Caller) -> None:
        """Make an agent busy with a talk that begins now, and its after-call work."""
        after_s = self._behaviour.after_call_s[int(next(caller.chance) * len(self._behaviour.after_call_s))]
        until = self._now + (caller.arrival.talk_s + after_s) * SECOND
        self.simulated.work.append(AgentWork(agent, since, until))
        self._at(until, self._freed, agent)

    def _look(self) -> None:
        """An event of its own, so that `run` asks whom to call from now on."""

    def _after(self, seconds: float, happen: Callable[..., None], *arguments: object) -> None:
        self._at(self._now + round(seconds * SECOND), happen, *arguments)

    def _at(self, at: int, happen: Callable[..., None], *arguments: object) -> None:
        self._count += 1
        heappush(self._events, (at, self._count, happen, arguments))
