"""On the day: whether it deviates from its forecast beyond chance, and which agents could help where some are missing.

An agent of several queues counts where one is needed: the PBX sends the agent the calls of all of them. What is then
still missing is moved from a queue that has agents to spare; only what no move covers is asked for as more agents. Each
half hour is one matching of agents and places (augmenting paths: Berge 1957), so no order of moves could cover more.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from scheduler.staffing import distributions
from scheduler.staffing.halfhours import clock_time, runs, span_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from scheduler.staffing.learning.forecast import Forecast, Habit

SURE = 0.9
"""Of days that go as forecast so many stay within the band."""

Serves = frozenset[str]
"""The queues that an agent serves."""


@dataclass(frozen=True, slots=True)
class DayDeviation:
    """Calls counted and calls expected; by chance nine in ten such days lie between `low` and `high`."""

    came: float
    expected: float
    low: int
    high: int

    @property
    def leaves(self) -> Literal["more", "fewer"] | None:
        """Whether the count is outside of the band."""
        if self.came > self.high:
            return "more"
        return "fewer" if self.came < self.low else None


def deviation(expected: Forecast, came: Sequence[float], habit: Habit, numbers: range) -> DayDeviation:
    """Compare the half hours `numbers` with the forecast as it was before the day; `came` is from midnight on.

    Half hours of one day err together: of a deviation `habit.lasting` is left in the next.
    """
    means = [expected.mean[number] for number in numbers]
    total, days = math.fsum(means), len(expected.days)
    together = math.fsum(
        one * other * habit.lasting ** abs(place - there)
        for place, one in enumerate(means)
        for there, other in enumerate(means)
    )
    spread = habit.spread * (1 + 1 / days) * together / total**2 + 1 / (days * total) if total else 0.0
    low, high = (distributions.quantile(total, spread, sure) for sure in ((1 - SURE) / 2, (1 + SURE) / 2))
    return DayDeviation(math.fsum(came[number] for number in numbers), total, low, high)


@dataclass(frozen=True, slots=True)
class Advice:
    """From half hour `first` to `last`: `agents` of `from_queue` help in `queue`; if that is empty, so many more."""

    queue: str
    from_queue: str
    agents: int
    first: int
    last: int

    def said(self, now: int) -> str:
        """Write it in half hour `now`, as in "sales: 2 from support until 10:30"."""
        whose = f"{self.agents} from {self.from_queue}" if self.from_queue else f"{self.agents} more"
        when = f"until {clock_time(self.last + 1)}" if self.first <= now else span_text(self.first, self.last)
        return f"{self.queue}: {whose} {when}"


def advise(
    needed: Mapping[str, Sequence[int]],
    there: Mapping[str, Collection[str]],
    first: int,
    may_help: Callable[[str, str], bool],
) -> list[Advice]:
    """Advise who helps in the half hours from `first` on if the agents `there` stay: moves, then additions.

    `needed` are agents at work by queue. An agent of a queue whose need is not known is not moved. `may_help`
    says whether the agents of the second queue can serve the first.
    """
    halves = range(len(next(iter(needed.values()), ())))
    found: dict[tuple[str, str], dict[int, int]] = {}
    for half in halves:
        helps = help_in({queue: row[half] for queue, row in needed.items()}, there, may_help)
        for pair, agents in helps.items():
            found.setdefault(pair, {})[first + half] = agents
    joined = [
        Advice(queue, giver, by_half[begin], begin, end)
        for (queue, giver), by_half in found.items()
        for begin, end in runs(by_half, by_half.__getitem__)
    ]
    return sorted(joined, key=lambda one: (not one.from_queue, one.first, one.queue, one.from_queue))


def help_in(
    needed: Mapping[str, int], there: Mapping[str, Collection[str]], may_help: Callable[[str, str], bool]
) -> dict[tuple[str, str], int]:
    """Give for one half hour how many agents help in a queue, by that queue and their own (empty: more agents).

    No queue that gives is left short, and more are asked for only where nobody can be moved.
    """
    places = _Places(needed, there, may_help)
    wanted = sorted((place / number, queue) for queue, number in needed.items() for place in range(1, number + 1))
    left = [queue for _, queue in wanted if not places.fill(queue, moving=False)]
    short = Counter(queue for queue in left if not places.fill(queue, moving=True))
    return places.moves() | {(queue, ""): number for queue, number in short.items()}


class _Places:
    """Agents by the queues that they serve: how many are free, and in which queue the others have a place."""

    def __init__(
        self, needed: Mapping[str, int], there: Mapping[str, Collection[str]], may_help: Callable[[str, str], bool]
    ) -> None:
        self._needed, self._there, self._may_help = needed, there, may_help
        agents = {agent for members in there.values() for agent in members}
        self._free = Counter(
            frozenset(queue for queue, members in there.items() if agent in members) for agent in agents
        )
        self._placed: Counter[tuple[Serves, str]] = Counter()

    def fill(self, queue: str, *, moving: bool) -> bool:
        """Fill one more place of a queue, if need be by giving others another place; no place is emptied."""
        return self._fill(queue, moving, set())

    def _fill(self, queue: str, moving: bool, tried: set[str]) -> bool:  # noqa: FBT001 - handed on
        tried.add(queue)
        fitting = [serves for serves in self._free if queue in serves or (moving and self._moves(serves, queue))]
        fitting.sort(key=lambda serves: (len(serves), -self._free[serves], sorted(serves)))
        for serves in fitting:
            if self._free[serves]:
                self._free[serves] -= 1
                self._placed[serves, queue] += 1
                return True
        for serves in fitting:
            for other in sorted(self._needed.keys() - tried):
                if other not in tried and self._placed[serves, other] and self._fill(other, moving, tried):
                    self._placed[serves, other] -= 1
                    self._placed[serves, queue] += 1
                    return True
        return False

    def _moves(self, serves: Serves, queue: str) -> bool:
        return serves <= self._needed.keys() and any(self._may_help(queue, own) for own in serves)

    def moves(self) -> dict[tuple[str, str], int]:
        """Count the agents placed in a queue that they do not serve, by that queue and the queue they come from."""
        moves: Counter[tuple[str, str]] = Counter()
        for (serves, queue), number in self._placed.items():
            if number and queue not in serves:
                moves[queue, self._giver(serves)] += number
        return dict(moves)

    def _giver(self, serves: Serves) -> str:
        """Name the queue that has most to spare of those that an agent serves."""
        return max(sorted(serves), key=lambda queue: len(self._there[queue]) - self._needed[queue])
