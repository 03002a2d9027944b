"""Days lived under a policy: which policies there are, one day of one, and what comes of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Final

from scheduler import clock
from scheduler.clock import DAY, HOUR, MINUTE
from scheduler.hours import Hours
from scheduler.policy import DEFAULT, FIFO, IN_TIME, NEWEST, CallbackPolicy
from scheduler.simulation.customer import Arrival, Nature
from scheduler.simulation.duty import Seat
from scheduler.simulation.measures import Measure, Tally, measures, tally
from scheduler.simulation.month import Month
from scheduler.simulation.rules import Service
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
    """One day to be lived, under one policy and with one seed."""

    day: int
    seed: int
    arrivals: tuple[Arrival, ...]
    seats: tuple[Seat, ...]
    nature: Nature
    service: Service


def trials(month: Month, policy: CallbackPolicy | None, days: Sequence[int], seeds: int) -> list[Trial]:
    """Prepare every day with every seed. What a call takes, and how patient callers are, is learnt from the first half.

    The hours are the service's own (no ring after 21:30 nor before 8:00), on the record's local clock.
    """
    known = _first_half(month)
    if policy is not None and policy.by_queue:
        policy = replace(policy, handle_s=known.handle_s())
    service = Service(Hours(clock.zone("UTC")), policy, known.usual_s(), known.patience_s())
    return [
        Trial(day, seed, tuple(month.arrivals(day, seed)), month.seats[day], month.nature, service)
        for day in days
        for seed in range(seeds)
    ]


def live(trial: Trial) -> Tally:
    """Live one day, and count."""
    ends_at = trial.day + DAY
    world = World(trial.arrivals, trial.seats, trial.nature, trial.service, trial.seed, ends_at)
    return tally(world.run(), trial.day, LOST_FROM, LOST_UNTIL)


def judge(tallies: Sequence[Tally]) -> dict[str, Measure]:
    """Pool what was counted."""
    return measures(tallies)


def recorded(month: Month, days: Sequence[int]) -> dict[str, float]:
    """Say what the record itself shows of these days: what the world without callbacks must reproduce."""
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
