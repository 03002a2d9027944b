"""When each agent was at work, inferred from the calls served: a record of calls has no breaks and no log-ins.

- An agent is present from the first talk of a day to the end of the last one.
- In between the agent was away while a caller of one of the agent's queues waited; longer than `away_s` is a break.
- Free for more than `idle_s` with no caller waiting: the agent was away, too.
- After-call work is the time between a talk and the next one if that caller had waited for it, up to `away_s`.
- An agent's queues are those served that day; of queues with less than the share `rare` of all calls, those of the
  whole record.
- A talk whose agent was not recorded: an unnamed agent was present for just that talk.
- A queue that is left out is not part of the work: an agent who serves it is away.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from scheduler.clock import SECOND
from scheduler.simulation.record import NOBODY, Recorded

Stretch = tuple[int, int]

_LONGEST_WAIT = 1800 * SECOND


@dataclass(frozen=True, slots=True)
class PresenceLimits:
    """Limits between after-call work, idle time and a break, in seconds; and up to which share a queue is rare."""

    away_s: int = 60
    idle_s: int = 900
    rare: float = 0.05


@dataclass(frozen=True, slots=True)
class AgentDay:
    """An agent on one day: the queues served, and from when to when the agent is present."""

    agent: str
    queues: frozenset[str]
    there: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Rosters:
    """The agents present by day, and the after-call work in seconds that was found."""

    agent_days: Mapping[int, tuple[AgentDay, ...]]
    after_call_s: tuple[int, ...]


def infer(calls: Sequence[Recorded], limits: PresenceLimits, without: frozenset[str] = frozenset()) -> Rosters:
    """Derive the agents of every day from all calls of a record; the queues `without` are left out."""
    rarely = _rarely(calls, limits.rare)
    after_call: list[int] = []
    days: dict[int, list[Recorded]] = defaultdict(list)
    for call in calls:
        days[call.day].append(call)
    agent_days = {day: tuple(_agent_days(of_day, rarely, limits, without, after_call)) for day, of_day in days.items()}
    return Rosters(agent_days, tuple(sorted(after_call)) or (0,))


def _rarely(calls: Sequence[Recorded], rare: float) -> Mapping[str, set[str]]:
    """Give the rare queues that each agent served."""
    counts = Counter(call.queue for call in calls)
    served: dict[str, set[str]] = defaultdict(set)
    for call in calls:
        if call.agent is not None and counts[call.queue] < rare * len(calls):
            served[call.agent].add(call.queue)
    return served


def _agent_days(
    calls: Sequence[Recorded],
    rarely: Mapping[str, set[str]],
    limits: PresenceLimits,
    without: frozenset[str],
    after_call: list[int],
) -> Iterator[AgentDay]:
    """Give the agents of one day; adds to `after_call` what was seen of it."""
    waits, served = _Waits(calls), defaultdict(list)
    for call in calls:
        if call.agent == NOBODY and call.queue not in without:
            yield AgentDay(f"unnamed-{call.line}", frozenset({call.queue}), (_talk(call),))
        elif call.agent not in {None, NOBODY}:
            served[call.agent].append(call)
    for agent, own in served.items():
        queues = frozenset({call.queue for call in own} | rarely.get(agent or "", set())) - without
        there = _there(own, waits, queues, limits, after_call)
        there = _less(there, [_talk(call) for call in own if call.queue in without])
        if queues and there:
            yield AgentDay(agent or "", queues, there)


def _there(
    calls: list[Recorded], waits: _Waits, queues: frozenset[str], limits: PresenceLimits, after_call: list[int]
) -> tuple[Stretch, ...]:
    """Give an agent's stretches of one day."""
    calls.sort(key=lambda call: call.talk_at)
    stretches, (since, until) = [], _talk(calls[0])
    for call in calls[1:]:
        start, end = _talk(call)
        back = waits.last(queues, until, start)
        if start - back > limits.idle_s * SECOND:
            back = start
        if back - until > limits.away_s * SECOND:
            stretches.append((since, until))
            since = back
        elif start > until and call.waited_s:
            after_call.append((back - until) // SECOND)
        until = max(until, end)
    return (*stretches, (since, until))


class _Waits:
    """When somebody waited in which queue, on one day."""

    def __init__(self, calls: Iterable[Recorded]) -> None:
        self._waits: dict[str, list[Stretch]] = defaultdict(list)  # until, since
        for call in calls:
            if call.waited_s:
                self._waits[call.queue].append((call.waited_until, call.at))
        for waits in self._waits.values():
            waits.sort()

    def last(self, queues: frozenset[str], start: int, end: int) -> int:
        """Give the last instant from `start` to `end` at which somebody waited in one of the queues; else `start`."""
        return max(
            (self._last(self._waits[queue], start, end) for queue in queues if queue in self._waits), default=start
        )

    @staticmethod
    def _last(waits: list[Stretch], start: int, end: int) -> int:
        latest = start
        for index in range(bisect_left(waits, (start, 0)), len(waits)):
            until, since = waits[index]
            if since < end:
                latest = max(latest, min(until, end))
            if until > end + _LONGEST_WAIT:
                break
        return latest


def _less(stretches: tuple[Stretch, ...], talks: list[Stretch]) -> tuple[Stretch, ...]:
    """Take the talks out of the stretches."""
    for start, end in talks:
        parts = [
            (max(since, low), min(until, high))
            for since, until in stretches
            for low, high in ((since, start), (end, until))
        ]
        stretches = tuple((since, until) for since, until in parts if since < until)
    return stretches


def _talk(call: Recorded) -> Stretch:
    return call.talk_at, call.talk_at + call.talk_s * SECOND
