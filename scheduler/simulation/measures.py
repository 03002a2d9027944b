"""How well a policy did: shares of lost callers and of live ones, with intervals by day. Seconds where not said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from scheduler.clock import HOUR, MINUTE, SECOND
from scheduler.simulation.customer import HUNG_UP, SERVED, Owed, Story
from scheduler.simulation.draws import luck

SHARES = ("dialled_30", "dialled_60", "reached_30", "reached_60", "inbound_hangups")
_RESAMPLES = 1000
_SOON_S = 20


@dataclass(frozen=True, slots=True)
class Tally:
    """One simulated day in counts: a numerator and what it is a share of, by the measure's name."""

    day: int
    parts: Mapping[str, tuple[float, float]]


def tally(story: Story, day: int, lost_from: int, lost_until: int) -> Tally:
    """Count a day's story; of the lost, those whose loss lies between two times of day (microseconds)."""
    lost = [one for one in story.owed if lost_from <= one.lost_at - day < lost_until]
    of = float(len(lost))
    hung_up = sum(visit.end == HUNG_UP for visit in story.visits)
    waits = [(visit.until - visit.at) / SECOND for visit in story.visits if visit.end == SERVED]
    return Tally(
        day,
        {
            "dialled_30": (_within(lost, lambda one: one.dialled_at, 30), of),
            "dialled_60": (_within(lost, lambda one: one.dialled_at, 60), of),
            "reached_30": (_within(lost, lambda one: one.reached_at, 30), of),
            "reached_60": (_within(lost, lambda one: one.reached_at, 60), of),
            "inbound_hangups": (hung_up, len(story.visits)),
            "lost": (of, 1),
            "nothing_60": (sum(_nothing(one) for one in lost), 1),
            "wait_s": (sum(waits), len(waits)),
            "within_20s": (sum(wait <= _SOON_S for wait in waits), len(waits)),
            "calls": (len(story.visits), 1),
            "redials": (sum(visit.redial for visit in story.visits), 1),
            "callbacks": (len(story.rings), 1),
        },
    )


def _within(lost: Iterable[Owed], when: Callable[[Owed], int | None], minutes: int) -> int:
    """Count those for whom it happened within so many minutes of their clock's start."""
    return sum((at := when(one)) is not None and at <= one.promise.clock_starts_at + minutes * MINUTE for one in lost)


def _nothing(one: Owed) -> bool:
    """Whether he was neither reached nor called again within the hour."""
    by = one.promise.clock_starts_at + HOUR
    return all(at is None or at > by for at in (one.reached_at, one.redialled_at))


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure and the interval that holds it with 95%, by resampling whole days."""

    value: float
    low: float
    high: float


def measures(tallies: Sequence[Tally]) -> dict[str, Measure]:
    """Pool the tallies of all days and seeds; the days are what varies."""
    days: dict[int, list[Tally]] = {}
    for one in tallies:
        days.setdefault(one.day, []).append(one)
    sums = [_add(of_day) for of_day in days.values()]
    chance = luck(0, 0)
    drawn = [_ratios(chance.choices(sums, k=len(sums))) for _ in range(_RESAMPLES)]
    return {name: Measure(value, *_middle([one[name] for one in drawn])) for name, value in _ratios(sums).items()}


def _add(tallies: Iterable[Tally]) -> dict[str, tuple[float, float]]:
    total: dict[str, tuple[float, float]] = {}
    for one in tallies:
        for name, (part, of) in one.parts.items():
            before = total.get(name, (0.0, 0.0))
            total[name] = before[0] + part, before[1] + of
    return total


def _ratios(sums: Sequence[Mapping[str, tuple[float, float]]]) -> dict[str, float]:
    return {name: sum(day[name][0] for day in sums) / max(1e-9, sum(day[name][1] for day in sums)) for name in sums[0]}


def _middle(values: list[float]) -> tuple[float, float]:
    values.sort()
    return values[len(values) * 25 // 1000], values[len(values) * 975 // 1000 - 1]
