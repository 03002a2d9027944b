"""Hints made from a record's first weeks, judged on the week after them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from statistics import median_low

from benchmarks.staffing_data import QUEUE, ZONE, Bank
from scheduler.clock import local
from scheduler.staffing.blocks import at_work
from scheduler.staffing.halfhours import A_DAY, HALF_HOUR_S
from scheduler.staffing.learning.forecast import Forecast
from scheduler.staffing.learning.fresh import Fresh, PastCall, fresh
from scheduler.staffing.planning.evidence import AIM, called_back
from scheduler.staffing.planning.need import StaffingTerms, need
from scheduler.staffing.planning.queue import Queue, learn

CHOICE, SPLIT, END = date(1999, 2, 15), date(1999, 2, 22), date(1999, 3, 1)
LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9)
_MOST_ADDED = 400


@dataclass(frozen=True, slots=True)
class HintVerdict:
    """Of `hinted` half hours with a "+k": in what share k was enough, and in what share one less was not.

    `over` is by how many agents k was too many on the average. Of `quiet` half hours without a hint, in what share
    nobody was lacking.
    """

    sure: float
    hinted: int
    enough: float
    less_was_not: float
    over: float
    quiet: int
    nothing_lacked: float


class HintTrial:
    """The bank's month cut: a queue learnt from what came before `split`, and the days from then until `end`."""

    def __init__(self, bank: Bank, terms: StaffingTerms, split: date = SPLIT, end: date = END) -> None:
        past = [call for call in bank.calls if _day(call) < split]
        self.bank, self.terms = bank, terms
        self.learnt: Queue = learn(past, ZONE)[QUEUE]
        self.whole: Fresh = fresh(bank.calls, ZONE)
        self.days = [day for day in self.whole.calls if split <= day < end]
        self.needed = lru_cache(maxsize=None)(self._needed)

    def staff(self, day: date) -> tuple[int, ...]:
        """Give who was there on `day`."""
        return at_work(self.bank.shifts.get(day, ()))

    def usual(self, day: date) -> list[int]:
        """Give the roster that the first weeks had on this weekday: the median of those who were there."""
        past = [self.staff(before) for before in self.learnt.loses(day).days]
        return [median_low(counts) for counts in zip(*past, strict=True)]

    def verdict(self, sure: float, steps: int | None = None) -> HintVerdict:
        """Judge the hints at one level of caution: made before the week, or `steps` half hours ahead on the day."""
        tally, over = Counter[str](), 0
        for day, number, expected in self._half_hours(steps):
            present = self.usual(day)[number]
            hinted = self._asked(expected, number, sure, self.learnt.loses(day).mean[number])
            true = self.needed(self.whole.calls[day][number], self.whole.losses[day][number], number)
            if hinted > present:
                tally.update(hinted=1, enough=hinted >= true, less=hinted - 1 < true)
                over += hinted - true
            else:
                tally.update(quiet=1, nothing=present >= true)
        hints, quiet = max(1, tally["hinted"]), max(1, tally["quiet"])
        shares = tally["enough"] / hints, tally["less"] / hints, over / hints
        return HintVerdict(sure, tally["hinted"], *shares, tally["quiet"], tally["nothing"] / quiet)

    def by_chance(self, sure: float) -> tuple[float, float]:
        """Give both shares as they would be if the forecast were the truth, and calls came about it by chance alone."""
        enough, less = [], []
        for day, number, expected in self._half_hours(None):
            mean, lost = expected.mean[number], self.learnt.loses(day).mean[number]
            exact = Forecast(day, expected.mean, (0.0,) * A_DAY, expected.days, expected.basis)
            hinted = self._asked(exact, number, sure, lost)
            if hinted > self.usual(day)[number]:
                chances = list(_poisson(mean))
                needs = [self.needed(float(count), round(lost, 1), number) for count in range(len(chances))]
                pairs = list(zip(needs, chances, strict=True))
                enough.append(math.fsum(chance for true, chance in pairs if true <= hinted))
                less.append(math.fsum(chance for true, chance in pairs if true >= hinted))
        return math.fsum(enough) / len(enough), math.fsum(less) / len(less)

    def _asked(self, expected: Forecast, number: int, sure: float, lost: float) -> int:
        return self.needed(float(expected.likely_at(number, sure)), round(lost, 1), number)

    def _half_hours(self, steps: int | None) -> Iterator[tuple[date, int, Forecast]]:
        """Give the half hours in which calls came or were expected, each with its forecast."""
        for day in self.days:
            came, before = self.whole.calls[day], self.learnt.expects(day)
            for number in range(A_DAY):
                if came[number] or before.mean[number]:
                    known = came[: max(0, number - steps + 1)] if steps else ()
                    yield day, number, self.learnt.expects(day, known) if known else before

    def _needed(self, calls: float, losses: float, number: int) -> int:
        return need(calls, losses, self.learnt.seconds(number), self.learnt.patience.mean_s, self.terms).at_work


def _day(call: PastCall) -> date:
    return local(call.at, ZONE).date()


def _poisson(mean: float) -> Iterator[float]:
    most = int(mean + 6 * math.sqrt(mean) + 4)
    for count in range(most):
        yield math.exp(count * math.log(mean) - mean - math.lgamma(count + 1)) if mean else float(not count)


@dataclass(frozen=True, slots=True)
class Extra:
    """One order of calling back: the share dialled in time as the month was staffed, and the hours a day it lacks.

    `days` of the month; `hours` are agent-hours a day, on the average, that bring each day to 90% in 30 minutes.
    """

    order: str
    dialled: float
    kept_days: int
    days: int
    hours: float


def extra_hours(trial: HintTrial, order: str, *, first_in_first_out: bool) -> Extra:
    """Reckon by sums what the month lacked for 90% of callbacks in 30 minutes under one order."""
    dialled = lost = hours = 0.0
    kept = 0
    for day, losses in trial.whole.losses.items():
        each_s = trial.terms.callback.seconds(trial.learnt.handling.site_s)
        spare_s = _spare_s(trial, day)
        now = math.fsum(called_back(spare_s, losses, each_s, first_in_first_out=first_in_first_out)[0])
        added = _added(spare_s, losses, each_s, first_in_first_out=first_in_first_out)
        dialled, lost, kept, hours = dialled + now, lost + math.fsum(losses), kept + (not added), hours + added / 2
    days = len(trial.whole.losses)
    return Extra(order, dialled / lost, kept, days, hours / days)


def _spare_s(trial: HintTrial, day: date) -> list[float]:
    calls, losses, staff = trial.whole.calls[day], trial.whole.losses[day], trial.staff(day)
    return [
        trial.terms.spare_s(staff[number], (calls[number] - losses[number]) * trial.learnt.seconds(number))
        for number in range(A_DAY)
    ]


def _added(spare_s: Sequence[float], losses: Sequence[float], each_s: float, *, first_in_first_out: bool) -> int:
    """Count the agents' half hours that bring a day to its aim, each put where it helps most."""

    def worth(seconds: Sequence[float]) -> tuple[float, float]:
        in_time, waiting = called_back(seconds, losses, each_s, first_in_first_out=first_in_first_out)
        return round(math.fsum(in_time), 6), -math.fsum(waiting)

    now, aim = list(spare_s), AIM * math.fsum(losses) - 1e-6
    for added in range(_MOST_ADDED):
        if worth(now)[0] >= aim:
            return added
        tries: Mapping[int, list[float]] = {
            number: [*now[:number], now[number] + HALF_HOUR_S, *now[number + 1 :]]
            for number in range(A_DAY)
            if losses[number] or (number and losses[number - 1])
        }
        now = max(tries.values(), key=worth)
    return _MOST_ADDED
