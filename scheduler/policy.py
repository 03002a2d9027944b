"""The callback policy: the order of lanes, and what keeps agents free for live callers. Pure values and functions.

Live callers come first, but agents kept idle for them delay the callbacks. What an idle agent is worth to live callers
depends on how many others are idle and how fast calls come in: `cost` gives it in callers who hang up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import inf
from typing import Final, Literal

from scheduler.candidate import IN_AIM, IN_WINDOW, LANES, OVERDUE, Candidate, lane
from scheduler.clock import SECOND
from scheduler.errors import SchedulerError

First = Literal["oldest", "newest"]
KEPT_FREE: Final = "kept-free"
TOO_DEAR: Final = "too-dear"


@dataclass(frozen=True, slots=True)
class QueueLoad:
    """How busy the agents of a queue are, with live callers and callbacks together.

    `staffed` agents are logged in and not on a break, `idle` of them are free. `calls_s` is how many calls came in
    per second lately, `handle_s` what one takes (talk and after-call work), `patience_s` how long callers wait on
    average before they hang up. `pool` names the queues that these agents serve: one load stands for all of them.
    """

    staffed: int
    idle: int
    calls_s: float
    handle_s: float
    patience_s: float
    pool: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane: its order, and how many live callers a callback may cost (infinite: no limit)."""

    first: First = "oldest"
    price: float = inf


@dataclass(frozen=True, slots=True)
class CallbackPolicy:
    """Which lanes are called, in which order, and how many agents must stay free for live callers.

    `in_lanes` False: all lanes are one, in the order of the first. For the last `bind_s` seconds before a deadline it
    binds: that callback is not held back by the agents kept free, and may cost `bind_price`. `handle_s` is what a
    callback takes, by queue, where that is known: a short one costs live callers less. `by_queue` says that it is to
    be filled in.
    """

    lanes: Mapping[str, Lane]
    keep: int = 0
    in_lanes: bool = True
    bind_s: int = 0
    bind_price: float = inf
    by_queue: bool = False
    handle_s: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = set(self.lanes) - set(LANES)
        if unknown or not self.lanes:
            raise SchedulerError(f"lanes {', '.join(sorted(unknown)) or '(none)'}: name some of {', '.join(LANES)}")
        if self.keep < 0 or self.bind_s < 0:
            raise SchedulerError(f"keep={self.keep}, bind_s={self.bind_s}: let both be 0 or more")


FIFO: Final = CallbackPolicy({IN_AIM: Lane(), IN_WINDOW: Lane(), OVERDUE: Lane()}, in_lanes=False)
NEWEST: Final = CallbackPolicy(dict.fromkeys((IN_AIM, IN_WINDOW, OVERDUE), Lane("newest")), in_lanes=False)
IN_TIME: Final = CallbackPolicy({IN_AIM: Lane("oldest"), IN_WINDOW: Lane("newest")}, keep=1)
# the prices were chosen on the first half of a bank's month, and judged on the second: docs/policy.md
DEFAULT: Final = CallbackPolicy({IN_AIM: Lane("oldest", 0.17), IN_WINDOW: Lane("newest", 0.12)}, by_queue=True)

Turn = tuple[bool, int, int, int, int]


def turn(candidate: Candidate, policy: CallbackPolicy, now: int) -> Turn | None:
    """Give the sort key of a candidate: the least goes first. None: its lane is not called."""
    standing = lane(candidate, now)
    if standing not in policy.lanes:
        return None
    age = candidate.since_at if policy.lanes[standing].first == "oldest" else -candidate.since_at
    has_time = candidate.since_at > now
    if not policy.in_lanes:
        return has_time, 0, 0, age, candidate.reservation
    return has_time, list(policy.lanes).index(standing), -candidate.severity, age, candidate.reservation


def binds_at(candidate: Candidate, policy: CallbackPolicy) -> int:
    """Give the instant from which the deadline binds."""
    return candidate.deadline_at - policy.bind_s * SECOND


def binds(candidate: Candidate, policy: CallbackPolicy, now: int) -> bool:
    """Whether the deadline binds now; one that has passed does not."""
    return policy.bind_s > 0 and binds_at(candidate, policy) <= now <= candidate.deadline_at


def held_back(
    queue: str, standing: str, policy: CallbackPolicy, spare: int, load: QueueLoad | None, *, binding: bool = False
) -> str | None:
    """Name what holds a callback in this lane back for the sake of live callers: kept-free, too-dear, or nothing.

    `spare` agents are free for it when all who come before have theirs; `binding`: its deadline binds. Of a queue
    whose `load` nobody knows, only the agents kept free are sure: nothing is priced.
    """
    if not binding and spare < 1 + policy.keep:
        return KEPT_FREE
    price = policy.lanes[standing].price
    price = max(price, policy.bind_price) if binding else price
    if load is None or price == inf:
        return None
    takes_s = policy.handle_s.get(queue, load.handle_s)
    return TOO_DEAR if cost(load) * takes_s / load.handle_s > price else None


@lru_cache(maxsize=4096)  # the same few loads are asked about for every candidate
def cost(load: QueueLoad) -> float:
    """Give how many live callers will hang up because one idle agent is busy for a usual call's time from now on.

    In a queue with Poisson arrivals, n agents and impatient callers (Erlang A) the relative values of the states with
    x < n agents busy obey  g = calls_s f(x) - x f(x-1) / handle_s,  g the rate of hang-ups; its solution is the share
    of callers who hang up with n agents, over the Erlang B blocking of x: f(x) = P(n) / B(x). With nobody in the
    centre that is P(n); with one agent idle it is nearly P(n) / B(n).
    """
    if load.calls_s <= 0 or load.staffed < 1:
        return 0.0
    offered = load.calls_s * load.handle_s
    share = 1.0  # B(n) / B(x), agent by agent: each of the two may be too small for a number
    for count in range(max(0, load.staffed - load.idle) + 1, load.staffed + 1):
        share *= offered / (count + offered * _blocking(count - 1, offered))
    return share * _hang_ups_when_busy(load)


def _hang_ups_when_busy(load: QueueLoad) -> float:
    """Give the share of callers who hang up, over the Erlang B blocking of all agents."""
    offered, per_wait = load.calls_s * load.handle_s, load.handle_s / load.patience_s
    blocked = _blocking(load.staffed, offered)
    # states with somebody waiting, relative to that with all agents busy and nobody waiting
    none, weight, waiting, above, lost = 1.0, 1.0, 0, 0.0, 0.0
    while weight * blocked > _NEGLIGIBLE * (none + above * blocked) or offered > load.staffed + waiting * per_wait:
        waiting += 1
        weight *= offered / (load.staffed + waiting * per_wait)
        above += weight
        lost += weight * waiting * per_wait
        if lost > _HUGE:
            none, weight, above, lost = (number / _HUGE for number in (none, weight, above, lost))
    return lost / (none + above * blocked) / offered


_HUGE = 1e100
_NEGLIGIBLE = 1e-6


def _blocking(agents: int, offered: float) -> float:
    """Erlang B, by its stable recursion."""
    blocked = 1.0
    for count in range(1, agents + 1):
        blocked = offered * blocked / (count + offered * blocked)
    return blocked
