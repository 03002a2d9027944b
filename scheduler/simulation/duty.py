"""Who was at work when, read off who served whom: a record of calls names no breaks and no log-ins.

What is imputed, and from what:
- An agent is there from his first service of a day to the end of his last one.
- In between he was away while somebody whom he could have served waited; longer than `away_s`, that was a break.
- Free for more than `idle_s` with nobody waiting, he was away, too.
- After-call work is what lay between a talk and the next one if that caller had waited for it, up to `away_s`.
- What an agent serves is what he served that day; of queues with fewer than `rare` of all calls, in the whole record.
- Served by nobody known: somebody was there for just that talk.
- A queue that is left out is no part of the work: while he serves it, an agent is away.
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
class Habits:
    """What tells a break from after-call work and from idleness, in seconds, and which share of calls is rare."""

    away_s: int = 60
    idle_s: int = 900
    rare: float = 0.05


@dataclass(frozen=True, slots=True)
class Seat:
    """An agent on one day: the queues that he serves, and from when to when he is there."""

    agent: str
    queues: frozenset[str]
    there: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Rosters:
    """Who was there, by day, and the after-call work in seconds that was seen."""

    seats: Mapping[int, tuple[Seat, ...]]
    after_call_s: tuple[int, ...]


def read_off(calls: Sequence[Recorded], habits: Habits, without: frozenset[str] = frozenset()) -> Rosters:
    """Derive the agents of every day from all calls of a record; the queues `without` are left out."""
    rarely = _rarely(calls, habits.rare)
    after_call: list[int] = []
    days: dict[int, list[Recorded]] = defaultdict(list)
    for call in calls:
        days[call.day].append(call)
    seats = {day: tuple(_seats(of_day, rarely, habits, without, after_call)) for day, of_day in days.items()}
    return Rosters(seats, tuple(sorted(after_call)) or (0,))


def _rarely(calls: Sequence[Recorded], rare: float) -> Mapping[str, set[str]]:
    """Give the rare queues that each agent served."""
    counts = Counter(call.queue for call in calls)
    served: dict[str, set[str]] = defaultdict(set)
    for call in calls:
        if call.agent is not None and counts[call.queue] < rare * len(calls):
            served[call.agent].add(call.queue)
    return served


def _seats(
    calls: Sequence[Recorded],
    rarely: Mapping[str, set[str]],
    habits: Habits,
    without: frozenset[str],
    after_call: list[int],
) -> Iterator[Seat]:
    """Give the agents of one day; adds to `after_call` what was seen of it."""
    waits, served = _Waits(calls), defaultdict(list)
    for call in calls:
        if call.agent == NOBODY and call.queue not in without:
            yield Seat(f"unnamed-{call.line}", frozenset({call.queue}), (_talk(call),))
        elif call.agent not in {None, NOBODY}:
            served[call.agent].append(call)
    for agent, his in served.items():
        queues = frozenset({call.queue for call in his} | rarely.get(agent or "", set())) - without
        there = _there(his, waits, queues, habits, after_call)
        there = _less(there, [_talk(call) for call in his if call.queue in without])
        if queues and there:
            yield Seat(agent or "", queues, there)


def _there(
    calls: list[Recorded], waits: _Waits, queues: frozenset[str], habits: Habits, after_call: list[int]
) -> tuple[Stretch, ...]:
    """Give an agent's stretches of one day."""
    calls.sort(key=lambda call: call.talk_at)
    stretches, (since, until) = [], _talk(calls[0])
    for call in calls[1:]:
        start, end = _talk(call)
        back = waits.last(queues, until, start)
        if start - back > habits.idle_s * SECOND:
            back = start
        if back - until > habits.away_s * SECOND:
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
