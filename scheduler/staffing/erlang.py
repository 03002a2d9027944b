"""Erlang A, B and C: how callers wait, given the traffic and the agents, and how many agents a target needs.

Calls come at random, each takes an agent for a random time, and a waiting caller hangs up when the caller's patience
ends: Erlang A (Palm 1957; Garnett, Mandelbaum and Reiman 2002). With endless patience it is Erlang C.

Large loads are safe: no factorial is formed. Erlang B and C run the stable recursion; Erlang A starts at the
likeliest number of callers, which weighs 1, and walks to both sides until a state weighs nothing beside the sum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import count, takewhile
from typing import TYPE_CHECKING, NamedTuple

from scheduler.errors import SchedulerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NOTHING = 1e-19  # beside a sum of 1 or more, and far beyond the tail that is left out
_DROP = 45.0  # e to the minus 45 is nothing beside 1
_MOST_AGENTS = 1 << 24
# Gauss-Legendre, five points on -1..1
_POINTS = (
    (0.0, 128 / 225),
    (math.sqrt(5 - 2 * math.sqrt(10 / 7)) / 3, (322 + 13 * math.sqrt(70)) / 900),
    (-math.sqrt(5 - 2 * math.sqrt(10 / 7)) / 3, (322 + 13 * math.sqrt(70)) / 900),
    (math.sqrt(5 + 2 * math.sqrt(10 / 7)) / 3, (322 - 13 * math.sqrt(70)) / 900),
    (-math.sqrt(5 + 2 * math.sqrt(10 / 7)) / 3, (322 - 13 * math.sqrt(70)) / 900),
)


@dataclass(frozen=True, slots=True)
class OfferedTraffic:
    """The calls offered, `calls_per_s`, and the handling time of each, `handling_s`: talk and wrap-up."""

    calls_per_s: float
    handling_s: float

    def __post_init__(self) -> None:
        if not (0 <= self.calls_per_s < math.inf and 0 < self.handling_s < math.inf):
            raise SchedulerError(
                f"{self.calls_per_s} calls a second of {self.handling_s} s are no load: let calls be 0 or more, "
                "and the handling time more than 0 s"
            )

    @property
    def erlang(self) -> float:
        """The offered load: how many agents would be busy if nobody ever waited or hung up."""
        return self.calls_per_s * self.handling_s


@dataclass(frozen=True, slots=True)
class QueuePerformance:
    """The performance of a queue in the long run.

    `wait_share` of all callers find no agent free; `hang_up_share` of all hang up; `wait_s` is what a caller waits
    on the average, those included who do not; `queue` is how many wait at a time; `busy_share` of the agents' time
    is spent with callers; `served_share` of all callers are served within the time that was asked for.
    """

    wait_share: float
    hang_up_share: float
    wait_s: float
    queue: float
    busy_share: float
    served_share: float


@dataclass(frozen=True, slots=True)
class Target:
    """The service level that a queue is to keep.

    At least `served_share` of all callers are served within `within_s`, and at most `hang_up_share` hang up.
    """

    served_share: float = 0.8
    within_s: float = 20.0
    hang_up_share: float = 0.05

    def __post_init__(self) -> None:
        if not (0 <= self.served_share < 1 and self.within_s >= 0 and 0 < self.hang_up_share <= 1):
            raise SchedulerError(
                f"nobody can staff for {self}: let served_share be below 1, within_s 0 or more, hang_up_share above 0"
            )

    def is_met(self, waiting: QueuePerformance) -> bool:
        """Whether `waiting`, computed for `within_s`, meets this target."""
        return waiting.served_share >= self.served_share and waiting.hang_up_share <= self.hang_up_share


def blocked_share(erlang: float, agents: int) -> float:
    """Give the share of calls that find all agents busy where nobody can wait (Erlang B)."""
    share = 1.0
    for busy in range(1, agents + 1):
        share = erlang * share / (busy + erlang * share)
    return share


def wait_share(erlang: float, agents: int) -> float:
    """Give the share of callers who have to wait if none ever hangs up (Erlang C); all, where agents are too few."""
    if agents <= erlang:
        return 1.0 if erlang else 0.0
    blocked = blocked_share(erlang, agents)
    return agents * blocked / (agents - erlang * (1 - blocked))


def waiting(
    load: OfferedTraffic, agents: int, patience_s: float = math.inf, within_s: float = 20.0
) -> QueuePerformance:
    """Give the performance of `agents` under `load` with a mean patience; infinite: no caller hangs up."""
    if agents < 0 or not patience_s > 0:
        raise SchedulerError(f"{agents} agents and a patience of {patience_s} s: let the first be 0 or more, both real")
    if load.calls_per_s == 0:
        return QueuePerformance(0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    if math.isinf(patience_s):
        return _patient(load, agents, within_s)
    return _impatient(load, agents, 1 / patience_s, within_s)


def needed(load: OfferedTraffic, target: Target, patience_s: float = math.inf) -> int:
    """Give the fewest agents that meet `target`."""

    def holds(agents: int) -> bool:
        return target.is_met(waiting(load, agents, patience_s, target.within_s))

    return fewest(holds, near=round(load.erlang))


def fewest(enough: Callable[[int], bool], near: int = 1) -> int:
    """Find the fewest agents that are `enough`, when any more are enough as well; it is quick `near` the answer."""
    low, high, step = near, near, 1
    while not enough(high):
        low, high, step = high, high + step, 2 * step
        if high > _MOST_AGENTS:
            raise SchedulerError(f"not even {low} agents hold the target: look at the load and the target")
    while low == high or enough(low):
        if low == 0:
            return 0
        low, high, step = max(0, low - step), low, 2 * step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _patient(load: OfferedTraffic, agents: int, within_s: float) -> QueuePerformance:
    spare = agents - load.erlang
    if spare <= 0:
        return QueuePerformance(1.0, 0.0, math.inf, math.inf, 1.0 if agents else 0.0, 0.0)
    share = wait_share(load.erlang, agents)
    wait_s = share * load.handling_s / spare
    late = share * math.exp(-spare * within_s / load.handling_s)
    return QueuePerformance(share, 0.0, wait_s, load.calls_per_s * wait_s, load.erlang / agents, 1 - late)


class _Queue(NamedTuple):
    """Erlang A's rates, each in 1/s: calls come, all agents together finish, one who waits hangs up."""

    calls: float
    finishing: float
    leaving: float
    agents: int

    def up(self, callers: int) -> float:
        """Give the weight of one caller more over that of `callers`."""
        more = callers + 1
        if more <= self.agents:
            return self.calls * self.agents / (more * self.finishing)
        return self.calls / (self.finishing + (more - self.agents) * self.leaving)

    def likeliest(self) -> int:
        """Give how many callers are with agents or waiting most of the time."""
        if self.calls < self.finishing:
            return int(self.calls * self.agents / self.finishing)
        return self.agents + int((self.calls - self.finishing) / self.leaving)

    def states(self) -> Iterator[tuple[int, float]]:
        """Give every number of callers that weighs anything, with its weight beside the likeliest one's."""
        top = self.likeliest()
        yield top, 1.0
        yield from takewhile(lambda state: state[1] > _NOTHING, self._above(top))
        yield from takewhile(lambda state: state[1] > _NOTHING, self._below(top))

    def _above(self, callers: int) -> Iterator[tuple[int, float]]:
        weight = 1.0
        for below in count(callers):
            weight *= self.up(below)
            yield below + 1, weight

    def _below(self, callers: int) -> Iterator[tuple[int, float]]:
        weight = 1.0
        for below in range(callers - 1, -1, -1):
            weight /= self.up(below)
            yield below, weight

    def area(self, drain: float, until_s: float) -> tuple[float, float]:
        """Integrate exp(calls * (1 - exp(-leaving * x)) / leaving - drain * x) over x from 0 to `until_s`.

        The result is (log of a scale, area in that scale). With `drain` = finishing this is the density of the
        wait that lies before a caller of endless patience, up to a factor (Zeltyn and Mandelbaum 2005).
        """

        def height(x: float) -> float:
            return -self.calls * math.expm1(-self.leaving * x) / self.leaving - drain * x

        def step(x: float) -> float:  # over which the height changes by little
            arriving = self.calls * math.exp(-self.leaving * x)
            return 1 / (abs(arriving - drain) + math.sqrt(arriving * self.leaving) + drain / 8)

        top = math.log(self.calls / drain) / self.leaving if self.calls > drain else 0.0
        top = min(top, until_s)
        scale, area = height(top), 0.0
        for end, sign in ((until_s, 1.0), (0.0, -1.0)):
            x = top
            while x != end and height(x) > scale - _DROP:
                beyond = x + sign * step(x)
                beyond = min(beyond, end) if sign > 0 else max(beyond, end)
                middle, half = (x + beyond) / 2, abs(beyond - x) / 2
                area += half * sum(w * math.exp(height(middle + half * p) - scale) for p, w in _POINTS)
                x = beyond
        return scale, area


def _impatient(load: OfferedTraffic, agents: int, leaving: float, within_s: float) -> QueuePerformance:
    queue = _Queue(load.calls_per_s, agents / load.handling_s, leaving, agents)
    total = late = waits = busy = 0.0
    for callers, weight in sorted(queue.states(), key=lambda state: state[1]):  # small weights first, none is lost
        total += weight
        busy += weight * min(callers, agents)
        if callers >= agents:
            late += weight
            waits += weight * (callers - agents)
    length = waits / total
    hang_up = min(1.0, leaving * length / load.calls_per_s)
    wait_share = late / total
    served = (1 - wait_share) + wait_share * _served_after_waiting(queue, within_s)
    busy_share = busy / total / agents if agents else 0.0
    return QueuePerformance(
        wait_share, hang_up, length / load.calls_per_s, length, busy_share, min(served, 1 - hang_up)
    )


def _served_after_waiting(queue: _Queue, within_s: float) -> float:
    """Give the share of those who wait that are served within so many seconds."""
    if not queue.agents or within_s <= 0:
        return 0.0
    served_scale, served = queue.area(queue.finishing + queue.leaving, within_s)
    scale, everybody = queue.area(queue.finishing, math.inf)
    return served / everybody * math.exp(served_scale - scale)
