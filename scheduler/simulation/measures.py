"""Measures of a policy: shares of lost callers and of live callers, with confidence intervals by day, in seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from scheduler.clock import HOUR, MINUTE, SECOND
from scheduler.simulation.day import HUNG_UP, SERVED, LostCaller, SimulatedDay
from scheduler.simulation.draws import generator

SHARES = ("dialled_30", "dialled_60", "reached_30", "reached_60", "inbound_hangups")
_RESAMPLES = 1000
_SOON_S = 20


@dataclass(frozen=True, slots=True)
class DayCounts:
    """One simulated day in counts: a numerator and what it is a share of, by the measure's name."""

    day: int
    parts: Mapping[str, tuple[float, float]]


def count_day(simulated: SimulatedDay, day: int, lost_from: int, lost_until: int) -> DayCounts:
    """Count a simulated day; lost callers only with the loss between two times of day (microseconds)."""
    lost = [one for one in simulated.lost if lost_from <= one.lost_at - day < lost_until]
    of = float(len(lost))
    hung_up = sum(call.end == HUNG_UP for call in simulated.calls)
    waits = [(call.until - call.at) / SECOND for call in simulated.calls if call.end == SERVED]
    return DayCounts(
        day,
        {
            "dialled_30": (_within(lost, lambda one: one.dialled_at, 30), of),
            "dialled_60": (_within(lost, lambda one: one.dialled_at, 60), of),
            "reached_30": (_within(lost, lambda one: one.reached_at, 30), of),
            "reached_60": (_within(lost, lambda one: one.reached_at, 60), of),
            "inbound_hangups": (hung_up, len(simulated.calls)),
            "lost": (of, 1),
            "nothing_60": (sum(_nothing(one) for one in lost), 1),
            "wait_s": (sum(waits), len(waits)),
            "within_20s": (sum(wait <= _SOON_S for wait in waits), len(waits)),
            "calls": (len(simulated.calls), 1),
            "redials": (sum(call.redial for call in simulated.calls), 1),
            "callbacks": (len(simulated.rings), 1),
        },
    )


def _within(lost: Iterable[LostCaller], when: Callable[[LostCaller], int | None], minutes: int) -> int:
    """Count the lost callers for whom it happened within so many minutes of the start of the promise's clock."""
    return sum((at := when(one)) is not None and at <= one.promise.clock_starts_at + minutes * MINUTE for one in lost)


def _nothing(one: LostCaller) -> bool:
    """Whether the customer was neither reached nor called again within the hour."""
    by = one.promise.clock_starts_at + HOUR
    return all(at is None or at > by for at in (one.reached_at, one.redialled_at))


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure and its 95% bootstrap interval, by resampling whole days."""

    value: float
    low: float
    high: float


def measures(counts: Sequence[DayCounts]) -> dict[str, Measure]:
    """Pool the counts of all days and seeds; the days are what varies."""
    days: dict[int, list[DayCounts]] = {}
    for one in counts:
        days.setdefault(one.day, []).append(one)
    sums = [_add(of_day) for of_day in days.values()]
    chance = generator(0, 0)
    drawn = [_ratios(chance.choices(sums, k=len(sums))) for _ in range(_RESAMPLES)]
    return {name: Measure(value, *_middle([one[name] for one in drawn])) for name, value in _ratios(sums).items()}


def _add(counts: Iterable[DayCounts]) -> dict[str, tuple[float, float]]:
    total: dict[str, tuple[float, float]] = {}
    for one in counts:
        for name, (part, of) in one.parts.items():
            before = total.get(name, (0.0, 0.0))
            total[name] = before[0] + part, before[1] + of
    return total


def _ratios(sums: Sequence[Mapping[str, tuple[float, float]]]) -> dict[str, float]:
    return {name: sum(day[name][0] for day in sums) / max(1e-9, sum(day[name][1] for day in sums)) for name in sums[0]}


def _middle(values: list[float]) -> tuple[float, float]:
    values.sort()
    return values[len(values) * 25 // 1000], values[len(values) * 975 // 1000 - 1]
