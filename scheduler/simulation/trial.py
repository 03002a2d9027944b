"""Simulated days under a policy: the policies, one day with one seed, and what the record shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Final

from scheduler import clock
from scheduler.clock import DAY, HOUR, MINUTE
from scheduler.hours import Hours
from scheduler.policy import DEFAULT, FIFO, IN_TIME, NEWEST, CallbackPolicy
from scheduler.simulation.day import Arrival, Behaviour
from scheduler.simulation.measures import DayCounts, count_day
from scheduler.simulation.month import Month
from scheduler.simulation.presence import AgentDay
from scheduler.simulation.rules import SimulatedRules
from scheduler.simulation.world import World

POLICIES: Final[Mapping[str, CallbackPolicy | None]] = {
    "none": None,
    "fifo": FIFO,
    "newest": NEWEST,
    "in_time": IN_TIME,
    "default": DEFAULT,
}
LOST_FROM, LOST_UNTIL = 7 * HOUR, 20 * HOUR + 30 * MINUTE  # later, the hour does not fit before the evening cut
_SOON_S = 20


@dataclass(frozen=True, slots=True)
class Trial:
    """One day to simulate, under one policy and with one seed."""

    day: int
    seed: int
    arrivals: tuple[Arrival, ...]
    agent_days: tuple[AgentDay, ...]
    behaviour: Behaviour
    rules: SimulatedRules


def trials(month: Month, policy: CallbackPolicy | None, days: Sequence[int], seeds: int) -> list[Trial]:
    """Prepare every day with every seed. Handling time and patience are learnt from the first half of the month.

    The hours are the rules's own (no ring after 21:30 nor before 8:00), on the record's local clock.
    """
    known = _first_half(month)
    if policy is not None and policy.by_queue:
        policy = replace(policy, handle_s=known.handle_s())
    rules = SimulatedRules(Hours(clock.zone("UTC")), policy, known.usual_s(), known.patience_s())
    return [
        Trial(day, seed, tuple(month.arrivals(day, seed)), month.agent_days[day], month.behaviour, rules)
        for day in days
        for seed in range(seeds)
    ]


def simulate(trial: Trial) -> DayCounts:
    """Simulate one day, and count."""
    ends_at = trial.day + DAY
    world = World(trial.arrivals, trial.agent_days, trial.behaviour, trial.rules, trial.seed, ends_at)
    return count_day(world.run(), trial.day, LOST_FROM, LOST_UNTIL)


def recorded(month: Month, days: Sequence[int]) -> dict[str, float]:
    """Give the measures of these days in the record itself: the simulation without callbacks must reproduce them."""
    calls = [call for call in month.recorded if call.day in set(days)]
    waits_s = [call.waited_s for call in calls if call.served] or [0]
    return {
        "inbound_hangups": 1 - sum(call.served for call in calls) / len(calls),
        "wait_s": fmean(waits_s),
        "within_20s": fmean(wait_s <= _SOON_S for wait_s in waits_s),
    }


def _first_half(month: Month) -> Month:
    """Give the month as it was known halfway through."""
    days = sorted({call.day for call in month.recorded})
    middle = (days[0] + days[-1]) // 2
    known = tuple(call for call in month.recorded if call.day <= middle)
    return replace(month, recorded=known)
