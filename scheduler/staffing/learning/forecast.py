"""Forecast of calls: the mean of the last same weekdays, updated on the day by the half hours that have passed.

Beyond two or three days ahead the mean of the last four to eight same weekdays is hard to beat. On the day what came
so far says most about the next hours, the last half hours above all: a day leaves its forecast by a factor that
wanders, and how far it wanders and how long it stays is learnt from the site's own past days (`Habit`). The factor is
followed by a Kalman filter (1960) of one state: few calls move it little, many move it fast, and half an hour later a
known share of it is left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Literal

from scheduler.errors import SchedulerError
from scheduler.staffing import distributions
from scheduler.staffing.halfhours import A_DAY, Day

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

Basis = Literal["same weekdays", "holidays", "same weekdays, for want of a holiday", "all days"]

MOST_DAYS = 8
USUAL_DAYS = 5
LEAST_WEEKS = 2
_NOBODY: Day = (0.0,) * A_DAY
_LONGEST_LASTING = 0.99


@dataclass(frozen=True, slots=True)
class Habit:
    """How a site's half hours deviate from their forecast, beyond chance.

    `spread` is the variance of (what came / forecast); `lasting` the share of such a deviation that is left half an
    hour later.
    """

    spread: float
    lasting: float


USUAL = Habit(0.02, 0.9)
"""Until a site's own days say more."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """The calls expected on `day` in each half hour: the mean of `days`, chosen as `basis` says.

    Counts are negative binomial about `mean`, with the variance mean + spread * mean².
    """

    day: date
    mean: Day
    spread: Day
    days: tuple[date, ...]
    basis: Basis

    def likely(self, sure: float) -> tuple[int, ...]:
        """Give for each half hour the count that is not exceeded with the chance `sure`."""
        return tuple(self.likely_at(number, sure) for number in range(len(self.mean)))

    def likely_at(self, number: int, sure: float) -> int:
        """Give the same for one half hour."""
        return distributions.quantile(self.mean[number], self.spread[number], sure)


def forecast(
    history: Mapping[date, Day],
    day: date,
    holidays: Container[date] = (),
    until: date | None = None,
    habit: Habit = USUAL,
) -> Forecast:
    """Forecast `day` from the days of `history` before it, and before `until` where that is earlier.

    Ordinary days rest on the last same weekdays, as many as there are up to eight, without holidays; a holiday on
    the last holidays. Where there is none, the next best is taken and `basis` says so. A weekday on which nobody ever
    called, for two weeks and more, is one on which nobody calls.
    """
    before = min(day, until or day)
    past = sorted((past for past in history if past < before), reverse=True)
    for basis, candidates in _candidates(past, day, holidays):
        if days := tuple(islice(candidates, MOST_DAYS)):
            mean = mean_of([history.get(past, _NOBODY) for past in days])
            return Forecast(day, mean, tuple(_spread(expected, len(days), habit) for expected in mean), days, basis)
    raise SchedulerError(f"nothing is known from before {before}: import a log that reaches further back")


def _candidates(past: Sequence[date], day: date, holidays: Container[date]) -> Iterator[tuple[Basis, Iterable[date]]]:
    ordinary = [candidate for candidate in past if candidate not in holidays]
    same = [candidate for candidate in ordinary if candidate.weekday() == day.weekday()]
    if day in holidays:
        yield "holidays", (candidate for candidate in past if candidate in holidays)
        yield "same weekdays, for want of a holiday", same
    yield "same weekdays", same or _without_calls(past, day)
    yield "all days", ordinary or past


def _without_calls(past: Sequence[date], day: date) -> list[date]:
    """Give the same weekdays among the days that `past` spans (the last first), if it holds none of them."""
    if not past or any(known.weekday() == day.weekday() for known in past):
        return []
    weeks_back = range(1, (day - past[-1]).days // 7 + 1)
    found = [one for one in (day - timedelta(weeks=weeks) for weeks in weeks_back) if one < past[0]]
    return found if len(found) >= LEAST_WEEKS else []


def mean_of(days: Sequence[Day]) -> Day:
    """Give the mean of each half hour over `days`."""
    return tuple(math.fsum(column) / len(days) for column in zip(*days, strict=True))


def _spread(mean: float, days: int, habit: Habit) -> float:
    """Give the spread of one half hour about the mean of so many: its own, and that of the mean."""
    return habit.spread * (1 + 1 / days) + (1 / (days * mean) if mean else 0.0)


def updated(expected: Forecast, so_far: Sequence[float], habit: Habit = USUAL) -> Forecast:
    """Update a forecast by the half hours of its day that have passed, `so_far`, from midnight on.

    The passed half hours stand in the result as they were.
    """
    if len(so_far) > A_DAY:
        raise SchedulerError(f"{len(so_far)} half hours have passed: a day has {A_DAY}")
    passed, rest = expected.mean[: len(so_far)], expected.mean[len(so_far) :]
    factor, doubt = leaving(passed, so_far, habit)
    mean, spread = [*so_far], [0.0 for _ in so_far]
    for forecast_mean, forecast_spread in zip(rest, expected.spread[len(so_far) :], strict=True):
        mean.append(forecast_mean * (1 + factor))
        spread.append(max(0.0, forecast_spread - habit.spread + doubt))
        factor, doubt = _later(factor, doubt, habit)
    return replace(expected, mean=tuple(mean), spread=tuple(spread))


def leaving(expected: Sequence[float], came: Sequence[float], habit: Habit) -> tuple[float, float]:
    """Give the share by which a day deviates from its forecast now, and the variance of that share."""
    factor, doubt = 0.0, habit.spread
    for mean, count in zip(expected, came, strict=True):
        weight = 1 + doubt * mean  # counts scatter about their mean by that mean
        factor += doubt * (count - mean * (1 + factor)) / weight if mean else 0.0
        doubt /= weight
        factor, doubt = _later(factor, doubt, habit)
    return max(factor, -1.0), doubt


def _later(factor: float, doubt: float, habit: Habit) -> tuple[float, float]:
    left = habit.lasting**2
    return factor * habit.lasting, doubt * left + habit.spread * (1 - left)


def habit(history: Mapping[date, Day], holidays: Container[date] = (), until: date | None = None) -> Habit:
    """Learn a site's habit from its days before `until`; the usual one, while they are too few."""
    past = {day: row for day, row in history.items() if until is None or day < until}
    return _learnt(list(_deviations(past, holidays).values()))


def habits(history: Mapping[date, Day], holidays: Container[date] = ()) -> dict[date, Habit]:
    """Give for each day of `history` the habit that was known before it."""
    deviations = _deviations(history, holidays)
    known: list[tuple[float, float, float, float]] = []
    result = {}
    for day in sorted(history):
        result[day] = _learnt(known)
        known += [deviations[day]] if day in deviations else []
    return result


def _deviations(
    history: Mapping[date, Day], holidays: Container[date]
) -> dict[date, tuple[float, float, float, float]]:
    """Compare each past day with its forecast from the same weekdays before it, where there was one.

    Gives two sums of squares beyond chance, each with what it is to be divided by: of single half hours, and of
    neighbours.
    """
    result = {}
    for day in sorted(history)[1:]:
        past = forecast(history, day, holidays)
        if past.basis == "same weekdays" and day not in holidays:
            result[day] = _deviation(history[day], past.mean, len(past.days))
    return result


def _deviation(came: Day, expected: Day, days: int) -> tuple[float, float, float, float]:
    wider = 1 + 1 / days  # a mean of few days errs itself
    pairs = list(zip(came, expected, strict=True))
    neighbours = list(pairwise(pairs))
    return (
        math.fsum((count - mean) ** 2 - mean * wider for count, mean in pairs if mean),
        math.fsum(mean * mean * wider for _, mean in pairs),
        math.fsum((count - mean) * (next_count - next_mean) for (count, mean), (next_count, next_mean) in neighbours),
        math.fsum(mean * next_mean * wider for (_, mean), (_, next_mean) in neighbours),
    )


def _learnt(deviations: Sequence[tuple[float, float, float, float]]) -> Habit:
    """Give the habit of these days; `USUAL` counts as so many days more."""
    if not deviations:
        return USUAL
    single, singles, double, doubles = (math.fsum(column) for column in zip(*deviations, strict=True))
    more = USUAL_DAYS / len(deviations)
    spread = (single + USUAL.spread * singles * more) / (singles * (1 + more)) if singles else 0.0
    if spread <= 0:
        return Habit(0.0, 0.0)
    shared = (double + USUAL.spread * USUAL.lasting * doubles * more) / (doubles * (1 + more)) if doubles else 0.0
    return Habit(spread, min(max(shared / spread, 0.0), _LONGEST_LASTING))
