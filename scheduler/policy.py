"""By which policy callbacks are begun: whose turn it is, and what is left for live callers. Pure values and functions.

Live callers come first, yet to leave agents idle for them costs those who are owed a callback. What an idle agent
is worth to live callers depends on how many others are idle and how fast calls come in: `cost` says it in callers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import inf
from typing import Final, Literal

from scheduler.errors import SchedulerError
from scheduler.order import IN_AIM, IN_WINDOW, OVERDUE, Candidate, lane

First = Literal["oldest", "newest"]


@dataclass(frozen=True, slots=True)
class Load:
    """How busy those are who serve a queue, with live callers and callbacks together.

    `staffed` agents are logged in and not on a break, `idle` of them are free. `calls_s` is how many calls came in
    per second lately, `handle_s` what one takes (talk and after-call work), `patience_s` how long callers wait on
    average before they hang up.
    """

    staffed: int
    idle: int
    calls_s: float
    handle_s: float
    patience_s: float


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane: who is first in it, and how many live callers a callback may cost (infinite: whatever it costs)."""

    first: First = "oldest"
    price: float = inf


@dataclass(frozen=True, slots=True)
class Policy:
    """Which lanes are called, in their order, and how many agents must stay free for live callers, whatever they cost.

    `in_lanes` False: all lanes are one, in the order of the first. `handle_s` is what a callback takes, by queue,
    where that is known: a short one costs live callers less. `by_queue` says that it is to be filled in.
    """

    lanes: Mapping[str, Lane]
    keep: int = 0
    in_lanes: bool = True
    by_queue: bool = False
    handle_s: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = set(self.lanes) - {IN_AIM, IN_WINDOW, OVERDUE}
        if unknown or not self.lanes:
            raise SchedulerError(
                f"lanes {', '.join(sorted(unknown)) or '(none)'}: name some of {IN_AIM}, {IN_WINDOW}, {OVERDUE}"
            )
        if self.keep < 0:
            raise SchedulerError(f"keep={self.keep}: let it be 0 or more")


FIFO: Final = Policy({IN_AIM: Lane(), IN_WINDOW: Lane(), OVERDUE: Lane()}, in_lanes=False)
NEWEST: Final = Policy(dict.fromkeys((IN_AIM, IN_WINDOW, OVERDUE), Lane("newest")), in_lanes=False)
IN_TIME: Final = Policy({IN_AIM: Lane("oldest"), IN_WINDOW: Lane("newest")}, keep=1)
# the prices were chosen on the first half of a bank's month, and judged on the second: docs/policy.md
DEFAULT: Final = Policy({IN_AIM: Lane("oldest", 0.17), IN_WINDOW: Lane("newest", 0.12)}, by_queue=True)


def turn(candidate: Candidate, policy: Policy, now: int) -> tuple[int, int, int] | None:
    """Say when it is his turn: the least goes first. None: his lane is not called at all."""
    standing = lane(candidate, now)
    if standing not in policy.lanes:
        return None
    place = list(policy.lanes).index(standing) if policy.in_lanes else 0
    oldest = policy.lanes[standing].first == "oldest"
    return place, candidate.clock_starts_at if oldest else -candidate.clock_starts_at, candidate.reservation


def affordable(candidate: Candidate, policy: Policy, spare: int, cost_now: float, handle_s: float, now: int) -> bool:
    """Whether live callers can afford it: enough agents stay free, and it costs no more than its lane's price.

    `spare` agents are free for it when all who come before have theirs. `cost_now` is what `cost` says of the load,
    for a callback of `handle_s`, the usual time; a shorter one costs less in proportion.
    """
    if spare < 1 + policy.keep:
        return False
    takes_s = policy.handle_s.get(candidate.queue, handle_s)
    return cost_now * takes_s / handle_s <= policy.lanes[lane(candidate, now)].price


@lru_cache(maxsize=4096)  # the same few loads are asked about for every candidate
def cost(load: Load) -> float:
    """Give how many live callers will hang up because one idle agent is bound for a usual call's time from now on.

    In a queue with Poisson arrivals, n agents and impatient callers (Erlang A) the relative values of the states with
    x < n agents busy obey  g = calls_s f(x) - x f(x-1) / handle_s,  g the rate of hang-ups; its solution is the share
    of callers who hang up with n agents, over the Erlang B blocking of x: f(x) = P(n) / B(x). With nobody in the
    centre that is P(n); with one agent idle it is nearly P(n) / B(n).
    """
    if load.calls_s <= 0:
        return 0.0
    offered = load.calls_s * load.handle_s
    busy = max(0, load.staffed - load.idle)
    return hang_ups(load) / _blocking(busy, offered)


def hang_ups(load: Load) -> float:
    """Give the share of callers who hang up in the long run under this load (Erlang A)."""
    offered, per_wait = load.calls_s * load.handle_s, load.handle_s / load.patience_s
    if load.staffed < 1 or offered <= 0:
        return 1.0 if offered > 0 else 0.0
    # states from n agents busy on, relative to that one; those below it by Erlang B
    below = 1.0 / _blocking(load.staffed, offered)
    weight, waiting, above = 1.0, 0, 0.0
    lost = 0.0
    while weight > _NEGLIGIBLE * (below + above) or offered > load.staffed + waiting * per_wait:
        waiting += 1
        weight *= offered / (load.staffed + waiting * per_wait)
        above += weight
        lost += weight * waiting * per_wait
    return lost / (below + above) / offered


_NEGLIGIBLE = 1e-6


def _blocking(agents: int, offered: float) -> float:
    """Erlang B, by its stable recursion."""
    blocked = 1.0
    for count in range(1, agents + 1):
        blocked = offered * blocked / (count + offered * blocked)
    return blocked
