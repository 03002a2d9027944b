"""Attendance: when each agent was at work, from logins where there are any, else inferred from the calls served.

- An agent with logins, and with at least one talk, was present while logged in and not paused. A login longer than
  `LONGEST_S` is ignored: such an agent never logs out.
- Any other agent was present from the first talk of a stretch of work to the last one; within a stretch, no rest
  between two talks is longer than `REST_S`.
- An agent who serves several queues at once counts in each for the share of the agent's talks in it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from scheduler.clock import SECOND
from scheduler.staffing.blocks import Block
from scheduler.staffing.halfhours import A_DAY, HALF_HOUR_S, Day, half_hour

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date
    from zoneinfo import ZoneInfo

REST_S: Final = 1800
LONGEST_S: Final = 16 * 3600
_NOBODY: Final[Day] = (0.0,) * A_DAY
_HALF_HOUR: Final = HALF_HOUR_S * SECOND

Stretch = tuple[int, int]
"""From when to when, µs."""


@dataclass(frozen=True, slots=True)
class Attendance:
    """How many agents were present in each half hour, by queue and day; parts of one count as parts.

    `there` holds the share of each half hour that each agent was present, by day. Of `agents` so many were `read_off`:
    inferred from their calls.
    """

    by_queue: Mapping[str, Mapping[date, Day]]
    there: Mapping[date, Mapping[str, Day]]
    agents: int
    read_off: int

    def of(self, queue: str, day: date) -> tuple[int, ...]:
        """Count the agents of a queue in whole ones."""
        return tuple(round(count) for count in self.by_queue.get(queue, {}).get(day, _NOBODY))

    def blocks(self, day: date) -> list[Block]:
        """Give the day's shifts in whole half hours: those of which an agent was there for half or more."""
        found = []
        for agent, shares in sorted(self.there.get(day, {}).items()):
            worked = [number for number, share in enumerate(shares) if share >= 0.5]  # noqa: PLR2004 - half
            if worked:
                inside = range(worked[0], worked[-1] + 1)
                found.append(Block(agent, inside.start, inside.stop, tuple(sorted(set(inside) - set(worked)))))
        return found


class AttendanceRecorder:
    """Takes logins and talks, each agent's talks in their order, and gives the attendance."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._logins: defaultdict[str, list[tuple[str, Stretch]]] = defaultdict(list)
        self._stretches: defaultdict[str, list[list[int]]] = defaultdict(list)
        self._talks: Counter[tuple[str, str]] = Counter()
        self._served: defaultdict[str, set[str]] = defaultdict(set)

    def logged_in(self, agent: str, queue: str, since: int, until: int) -> None:
        """Take the time for which an agent was logged in to a queue (empty: to all queues that the agent serves)."""
        if until - since <= LONGEST_S * SECOND:
            self._logins[agent].append((queue, (since, until)))

    def served(self, agent: str, queue: str, since: int, until: int) -> None:
        """Take a talk."""
        self._talks[agent, queue] += 1
        self._served[agent].add(queue)
        stretches = self._stretches[agent]
        if stretches and since - stretches[-1][1] <= REST_S * SECOND:
            stretches[-1][1] = max(stretches[-1][1], until)
        else:
            stretches.append([since, until])

    def attendance(self) -> Attendance:
        """Give the attendance so far."""
        by_queue: defaultdict[str, defaultdict[date, list[float]]] = defaultdict(_table)
        there: defaultdict[date, defaultdict[str, list[float]]] = defaultdict(_table)
        for agent in self._stretches:
            for queues, stretch in self._presence(agent):
                shares = self._shares(agent, queues)
                for (day, number), share in self._half_hours(stretch):
                    there[day][agent][number] += share
                    for queue, part in shares.items():
                        by_queue[queue][day][number] += share * part
        return Attendance(
            {queue: {day: tuple(row) for day, row in days.items()} for queue, days in by_queue.items()},
            {day: {agent: tuple(row) for agent, row in rows.items()} for day, rows in there.items()},
            len(self._stretches),
            sum(agent not in self._logins for agent in self._stretches),
        )

    def _presence(self, agent: str) -> Iterator[tuple[frozenset[str], Stretch]]:
        """Give the stretches in which an agent was present, each with the queues served; no two overlap."""
        served = frozenset(self._served[agent])
        if agent not in self._logins:
            yield from ((served, (since, until)) for since, until in self._stretches[agent])
            return
        edges = sorted(
            edge for queue, (since, until) in self._logins[agent] for edge in ((since, 1, queue), (until, -1, queue))
        )
        inside: Counter[str] = Counter()
        before = 0
        for at, group in groupby(edges, key=itemgetter(0)):
            queues = frozenset(queue for queue, number in inside.items() if number > 0)
            if queues:
                yield (served if "" in queues else queues), (before, at)
            for _, change, queue in group:
                inside[queue] += change
            before = at

    def _shares(self, agent: str, queues: frozenset[str]) -> dict[str, float]:
        talks = {queue: self._talks[agent, queue] for queue in queues}
        total = sum(talks.values())
        return {queue: number / total if total else 1 / len(queues) for queue, number in talks.items()}

    def _half_hours(self, stretch: Stretch) -> Iterator[tuple[tuple[date, int], float]]:
        """Cut a stretch into half hours of the clock, each with the share of it that it fills."""
        at, until = stretch
        while at < until:
            end = min(until, at - at % (_HALF_HOUR // 2) + _HALF_HOUR // 2)  # clocks stand whole quarters apart
            yield half_hour(at, self._zone), (end - at) / _HALF_HOUR
            at = end


def _table() -> defaultdict[Any, list[float]]:
    return defaultdict(lambda: [0.0] * A_DAY)
