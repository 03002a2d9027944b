"""One day of a call centre in virtual time: callers, agents, and callbacks by rules that the world does not know.

An event queue, no clock: callers come, wait, are served or hang up, and may come again; agents come and go. Waits
arise from who is there. Of the rules the world knows only what it asks them: what is promised, whom to call now,
and what follows an attempt.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import pairwise
from random import Random
from typing import Protocol

from scheduler.candidate import Candidate
from scheduler.clock import SECOND
from scheduler.promise import Promise
from scheduler.simulation.customer import (
    HUNG_UP,
    SERVED,
    STILL_WAITING,
    Arrival,
    Nature,
    Owed,
    Ring,
    Story,
    Visit,
    Work,
)
from scheduler.simulation.draws import luck
from scheduler.simulation.duty import Seat
from scheduler.simulation.floor import Agents

_LATELY_S = 600  # how busy it is now; of 2, 5, 10 and 30 minutes the best on the first half of the month
_ANSWERS = 1


@dataclass(frozen=True, slots=True)
class Scene:
    """What can be seen of the centre when it is asked whom to call.

    `free` gives the free agents by queue: for none of them does anybody wait. `staffed` and `idle` count agents;
    `calls_s` is how many calls a second came in lately.
    """

    free: Mapping[str, Collection[str]]
    staffed: int
    idle: int
    calls_s: float


class Rules(Protocol):
    """What the world asks."""

    def promised(self, lost_at: int) -> Promise:
        """Say what is promised to who is lost now."""

    def choose(self, owed: Sequence[Candidate], scene: Scene, now: int) -> Candidate | None:
        """Choose whom to call now; None to wait."""

    def after(self, outcome: str, tries: int, now: int) -> int | None:
        """Say when to try again after an attempt that was not answered; None: never."""


@dataclass(slots=True)
class _Caller:
    arrival: Arrival
    chance: Random  # his own, so that he is the same man under every policy
    visit: Visit | None = None
    answers: Random | None = None  # apart, so that a callback does not change how patient he is
    ringing: bool = False
    owed: Owed | None = None


class World:
    """A day. Build it, and `run` it once."""

    def __init__(
        self, arrivals: Iterable[Arrival], seats: Iterable[Seat], nature: Nature, rules: Rules, seed: int, ends_at: int
    ) -> None:
        self._nature, self._rules, self._seed, self._ends_at = nature, rules, seed, ends_at
        self._events: list[tuple[int, int, Callable[..., None], tuple[object, ...]]] = []
        self._now = self._count = 0
        seats = tuple(seats)
        self._agents = Agents(seats)
        self._waiting: dict[str, list[tuple[int, int, _Caller, Visit]]] = defaultdict(list)
        self._open: dict[int, Candidate] = {}
        self._callers: dict[int, _Caller] = {}
        self._lately: deque[int] = deque()
        self.story = Story()
        self._rest: Counter[str] = Counter()  # of agents: breaks that are due, in microseconds
        self._rest_by: dict[str, int] = {}
        for seat in seats:
            self._at(seat.there[0][0], self._comes, seat.agent)
            self._at(seat.there[-1][1], self._agents.goes, seat.agent)
            for (_, leaves), (returns, _) in pairwise(seat.there):
                self._at(leaves, self._leaves, seat.agent, returns - leaves)
        for arrival in arrivals:
            caller = _Caller(arrival, luck(seed, arrival.caller))
            self._callers[arrival.caller] = caller
            self._at(arrival.at, self._calls, caller)

    def run(self) -> Story:
        """Let the day pass until nothing is left to happen."""
        while self._events:
            self._now, _, happen, arguments = heappop(self._events)
            happen(*arguments)
            if self._agents.free and self._open:
                self._call_back()
        return self.story

    # Agents

    def _comes(self, agent: str) -> None:
        self._idle(agent, free=self._agents.comes(agent))

    def _freed(self, agent: str) -> None:
        self._idle(agent, free=self._agents.release(agent))

    def _leaves(self, agent: str, rest: int) -> None:
        """His break is due."""
        self._rest[agent] += rest
        self._rest_by.setdefault(agent, self._now + self._nature.rest_within_s * SECOND)
        self._idle(agent, free=self._agents.is_free(agent))

    def _idle(self, agent: str, *, free: bool) -> None:
        """Give him something to do. A break that is due is taken whole, when nobody waits or it is high time."""
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
        """Give a free agent him whose turn it is."""
        heads = [head for queue in self._agents.queues(agent) if (head := self._head(queue)) is not None]
        _, _, caller, _ = heappop(self._waiting[min(heads)[2].arrival.queue])
        self._agents.bind(agent)
        self._serve(caller, agent)

    def _head(self, queue: str) -> tuple[int, int, _Caller, Visit] | None:
        """Find who is first in a queue; who has hung up stands there no longer."""
        line = self._waiting[queue]
        while line and line[0][3].end != STILL_WAITING:
            heappop(line)
        return line[0] if line else None

    # Live callers

    def _calls(self, caller: _Caller) -> None:
        """He calls, and is served at once or waits."""
        queue = caller.arrival.queue
        caller.visit = Visit(caller.arrival.caller, queue, self._now, redial=caller.owed is not None)
        self.story.visits.append(caller.visit)
        self._lately.append(self._now)
        agent = self._agents.take(queue)
        if agent is not None:
            self._serve(caller, agent)
            return
        turn = self._now - caller.arrival.ahead_s * SECOND
        heappush(self._waiting[queue], (turn, len(self.story.visits), caller, caller.visit))
        patience_s = self._nature.patience[queue].draw(caller.chance)
        if patience_s is not None:
            self._after(patience_s, self._hangs_up, caller, caller.visit)

    def _serve(self, caller: _Caller, agent: str) -> None:
        self._ends_wait(caller, SERVED)
        self._close(caller, "served")
        self._work(agent, self._now, caller)

    def _hangs_up(self, caller: _Caller, visit: Visit) -> None:
        """His patience is at an end; if he is still waiting, he is lost, and may call again."""
        if visit.end != STILL_WAITING:
            return
        self._ends_wait(caller, HUNG_UP)
        self._lose(caller)
        again_s = self._nature.redial.draw(caller.chance)
        if again_s is not None and self._now + round(again_s * SECOND) < self._ends_at:
            self._after(again_s, self._calls_again, caller)

    def _calls_again(self, caller: _Caller) -> None:
        """He calls again unless he was called back meanwhile; while his phone rings he cannot."""
        if caller.owed is None or caller.owed.closed == "reached":
            return
        if caller.ringing:
            self._after(self._nature.ring_s, self._calls_again, caller)
            return
        if caller.owed.redialled_at is None:
            caller.owed.redialled_at = self._now
        self._mark(caller, number_live=True)
        self._calls(caller)

    def _ends_wait(self, caller: _Caller, end: str) -> None:
        if caller.visit is not None:
            caller.visit.until, caller.visit.end = self._now, end

    # Lost callers

    def _lose(self, caller: _Caller) -> None:
        """Promise him a callback; lost again, he keeps the earlier promise, and is one reservation."""
        promise = self._rules.promised(self._now)
        if caller.owed is not None and caller.owed.closed is None:
            caller.owed.losses += 1
            self._mark(caller, number_live=False)
            return
        number = len(self.story.owed)
        queue, start_at = caller.arrival.queue, promise.clock_starts_at
        caller.owed = Owed(number, caller.arrival.caller, queue, self._now, promise, start_at)
        self.story.owed.append(caller.owed)
        self._open[number] = Candidate(
            number, queue, "abandoned", start_at, promise.aim_at, promise.deadline_at, due_at=start_at
        )
        self._at(start_at, self._look)

    def _call_back(self) -> None:
        """Begin callbacks as long as the rules find one."""
        while self._agents.free:
            chosen = self._rules.choose(list(self._open.values()), self._scene(), self._now)
            if chosen is None:
                return
            self._dial(self._callers[self.story.owed[chosen.reservation].caller])

    def _scene(self) -> Scene:
        while self._lately and self._lately[0] <= self._now - _LATELY_S * SECOND:
            self._lately.popleft()
        calls_s = len(self._lately) / _LATELY_S
        return Scene(self._agents.by_queue(), self._agents.staffed, self._agents.free, calls_s)

    def _dial(self, caller: _Caller) -> None:
        owed, agent = caller.owed, self._agents.take(caller.arrival.queue)
        if owed is None or agent is None:
            raise AssertionError("the rules chose somebody whom no free agent can call")
        if owed.dialled_at is None:
            owed.dialled_at = self._now
        caller.ringing = True
        self._mark(caller, in_flight=True)
        self._after(self._nature.ring_s, self._rung, caller, owed, agent, self._now)

    def _rung(self, caller: _Caller, owed: Owed, agent: str, since: int) -> None:
        caller.ringing = False
        caller.answers = caller.answers or luck(self._seed, caller.arrival.caller, _ANSWERS)
        answered = caller.answers.random() < self._nature.answer_rate
        self.story.rings.append(Ring(owed.number, owed.caller, agent, since, self._now, answered))
        if answered:
            owed.reached_at = self._now
            self._close(caller, "reached")
            self._work(agent, since, caller)
            return
        self._tries_again(caller, owed)
        self.story.work.append(Work(agent, since, self._now))
        self._freed(agent)

    def _tries_again(self, caller: _Caller, owed: Owed) -> None:
        due_at = self._rules.after("no-answer", owed.tries, self._now)
        owed.tries += 1
        if due_at is None:
            self._close(caller, "given-up")
            return
        owed.due_at = due_at
        self._mark(caller, in_flight=False, due_at=due_at)
        self._at(due_at, self._look)

    def _close(self, caller: _Caller, why: str) -> None:
        if caller.owed is not None and caller.owed.closed is None:
            caller.owed.closed = why
            del self._open[caller.owed.number]

    def _mark(self, caller: _Caller, **facts: bool | int) -> None:
        if caller.owed is not None and caller.owed.number in self._open:
            number = caller.owed.number
            self._open[number] = replace(self._open[number], **facts)  # type: ignore[arg-type]  # the names of its fields

    # Time

    def _work(self, agent: str, since: int, caller: _Caller) -> None:
        """Bind an agent to a talk that begins now, and to its after-call work."""
        after_s = self._nature.after_call_s[int(caller.chance.random() * len(self._nature.after_call_s))]
        until = self._now + (caller.arrival.talk_s + after_s) * SECOND
        self.story.work.append(Work(agent, since, until))
        self._at(until, self._freed, agent)

    def _look(self) -> None:
        """Nothing happens but that somebody may be called from now on."""

    def _after(self, seconds: float, happen: Callable[..., None], *arguments: object) -> None:
        self._at(self._now + round(seconds * SECOND), happen, *arguments)

    def _at(self, at: int, happen: Callable[..., None], *arguments: object) -> None:
        self._count += 1
        heappush(self._events, (at, self._count, happen, arguments))
