"""Forecast accuracy: the error so far, by horizon, beside the error of simple guesses.

Every half hour is forecast from what was known at its horizon and from nothing later; all guesses are judged on the
same half hours. The error is the share of absolute error: what was off, over what came.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import starmap
from typing import TYPE_CHECKING, NamedTuple

from scheduler.staffing import distributions
from scheduler.staffing.halfhours import A_DAY, Day
from scheduler.staffing.learning.forecast import forecast, habits, mean_of, updated

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

DAYS_AHEAD = (1, 7, 14)
HALF_HOURS_AHEAD = (1, 2, 4, 8)
_A_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The share of absolute error at one `horizon` ("0.5 h", "7 d"), over `half_hours` half hours of `days` days.

    `forecast` is ours; the guesses beside it are `last_week`, the latest same weekday known; `all_days`, the mean
    of every past day at that time; and on the day `unchanged`, the forecast as it stood before the day began.
    `plain_ratio` trusts the ratio of the day as it stands. `chance` is what chance alone leaves to the best forecast.
    """

    horizon: str
    half_hours: int
    days: int
    forecast: float
    last_week: float
    all_days: float
    unchanged: float | None
    plain_ratio: float | None
    chance: float


class _Guess(NamedTuple):
    """One half hour: what came, and what each way had said."""

    came: float
    forecast: float
    last_week: float
    all_days: float
    unchanged: float
    plain_ratio: float


def by_horizon(
    history: Mapping[date, Day], holidays: Container[date] = (), since: date | None = None
) -> list[Accuracy]:
    """Measure every horizon on the days of `history` from `since` on (by default from its second week on).

    A day counts at a horizon if a day of its weekday was known by then. Holidays are not judged.
    """
    first = since or min(history) + _A_WEEK
    judged = [day for day in sorted(history) if day >= first and day not in holidays]
    ahead = [
        _accuracy(f"{days} d", _days_ahead(history, holidays, judged, days), on_the_day=False) for days in DAYS_AHEAD
    ]
    today = [
        _accuracy(f"{steps / 2:g} h", _on_the_day(history, holidays, judged, steps), on_the_day=True)
        for steps in HALF_HOURS_AHEAD
    ]
    return [row for row in (*today, *ahead) if row]


def _days_ahead(
    history: Mapping[date, Day], holidays: Container[date], judged: Iterable[date], days: int
) -> Iterator[list[_Guess]]:
    for day in judged:
        known = day - timedelta(days=days - 1)
        past = [before for before in history if before < min(day, known)]
        if not any(before.weekday() == day.weekday() and before not in holidays for before in past):
            continue
        expected = forecast(history, day, holidays, until=known)
        everyday = mean_of([history[before] for before in past])
        columns = zip(history[day], expected.mean, history[expected.days[0]], everyday, strict=True)
        yield list(starmap(_told_before, columns))


def _told_before(came: float, expected: float, last_week: float, everyday: float) -> _Guess:
    return _Guess(came, expected, last_week, everyday, expected, expected)


def _on_the_day(
    history: Mapping[date, Day], holidays: Container[date], judged: Iterable[date], steps: int
) -> Iterator[list[_Guess]]:
    """Forecast each half hour from those of its day that had passed `steps` half hours before its end."""
    known = habits(history, holidays)
    for day in judged:
        expected = forecast(history, day, holidays)
        if expected.basis != "same weekdays":
            continue
        everyday = mean_of([history[before] for before in history if before < day])
        guesses = []
        for number in range(steps, A_DAY):
            so_far = history[day][: number - steps + 1]
            if not math.fsum(so_far):
                continue  # the day has not begun: there is nothing to better the forecast by
            came, mean = history[day][number], expected.mean[number]
            told = updated(expected, so_far, known[day]).mean[number]
            plain = mean * math.fsum(so_far) / (math.fsum(expected.mean[: len(so_far)]) or math.fsum(so_far))
            guesses.append(_Guess(came, told, history[expected.days[0]][number], everyday[number], mean, plain))
        yield guesses


def _accuracy(horizon: str, days: Iterable[list[_Guess]], *, on_the_day: bool) -> Accuracy | None:
    by_day = [[guess for guess in day if any(guess)] for day in days]
    guesses = [guess for day in by_day for guess in day]
    came = math.fsum(guess.came for guess in guesses)
    if not came:
        return None

    def share(name: str) -> float:
        return math.fsum(abs(getattr(guess, name) - guess.came) for guess in guesses) / came

    return Accuracy(
        horizon,
        len(guesses),
        sum(1 for day in by_day if day),
        share("forecast"),
        share("last_week"),
        share("all_days"),
        share("unchanged") if on_the_day else None,
        share("plain_ratio") if on_the_day else None,
        math.fsum(distributions.poisson_floor(guess.came) for guess in guesses) / came,
    )
