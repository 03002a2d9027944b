"""One queue as its past calls show it, and what follows for a day: forecast, need, hints with their evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.staffing.halfhours import A_DAY
from scheduler.staffing.learning import forecast as forecasts
from scheduler.staffing.learning.fresh import DemandSorter, Fresh
from scheduler.staffing.learning.handling import Handling, HandlingEstimator
from scheduler.staffing.learning.patience import PatienceEstimator
from scheduler.staffing.planning.evidence import EstimatedReplay
from scheduler.staffing.planning.hints import Hint, hints, proved
from scheduler.staffing.planning.need import Need, StaffingTerms, day_need

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence
    from datetime import date
    from zoneinfo import ZoneInfo

    from scheduler.staffing.learning.forecast import Forecast, Habit
    from scheduler.staffing.learning.fresh import PastCall
    from scheduler.staffing.learning.patience import Patience
    from scheduler.staffing.planning.evidence import Replay

SURE = 0.6
"""With this chance a half hour has no more calls than it is staffed for: see docs/staffing.md."""
FEW_DAYS, FEW_CALLS, FEW_TALKS = 2, 20, 20
"""Of fewer nothing is said. A bank's third week, told from two, was told well: see docs/staffing.md."""


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue as its past calls show it; everything it gives follows from these calls alone."""

    name: str
    demand: Fresh
    handling: Handling
    patience: Patience
    habit: Habit
    holidays: Container[date] = frozenset()

    def expects(self, day: date, so_far: Sequence[float] = ()) -> Forecast:
        """Forecast the fresh calls of `day`; `so_far` are its half hours that have passed."""
        expected = forecasts.forecast(self.demand.calls, day, self.holidays, habit=self.habit)
        return forecasts.updated(expected, so_far, self.habit) if so_far else expected

    def loses(self, day: date) -> Forecast:
        """Forecast the callers that `day` loses if the staffing stays the same."""
        return forecasts.forecast(self.demand.losses, day, self.holidays)

    def too_little(self, day: date) -> str:
        """Say why too little is known to give the need of `day`; empty, where enough is."""
        expected = self.expects(day)
        days = expected.days
        if len(days) >= FEW_DAYS and not any(expected.mean):
            return ""  # nobody calls on such days: that is enough to tell that nobody is needed
        calls = round(sum(sum(self.demand.calls[past]) for past in days))
        known = [
            (len(days), FEW_DAYS, "days like it"),
            (calls, FEW_CALLS, "calls on such days"),
            (self.handling.talks, FEW_TALKS, "talks"),
        ]
        return next((f"{known} of the {few} {what} that it takes" for known, few, what in known if known < few), "")

    def need(
        self, day: date, terms: StaffingTerms, sure: float = SURE, so_far: Sequence[float] = ()
    ) -> tuple[Need, ...]:
        """Give the agents that each half hour of `day` needs; none where calls come on fewer than half of such days."""
        expected, lost = self.expects(day, so_far), self.loses(day).mean
        open_then = [2 * self._busy_days(expected, number) >= len(expected.days) for number in range(A_DAY)]
        calls = [count * works for count, works in zip(expected.likely(sure), open_then, strict=True)]
        losses = [count * works for count, works in zip(lost, open_then, strict=True)]
        return day_need(calls, losses, self.seconds, self.patience.mean_s, terms)

    def hints(
        self,
        day: date,
        present: Sequence[int],
        terms: StaffingTerms,
        sure: float = SURE,
        staff_of: Callable[[date], Sequence[int]] | None = None,
        replay: Replay | None = None,
    ) -> list[Hint]:
        """Compare the roster of `day` with its need, with the evidence of the same weekdays before it.

        `present` and `staff_of` count the agents on the roster of `day` and of past days; without `staff_of` they
        are taken to have been the same. Without `replay` the past is estimated by sums. None where too little is known.
        """
        if self.too_little(day):
            return []
        needed = [each.roster for each in self.need(day, terms, sure)]
        past = sorted(self.loses(day).days)
        known = staff_of or (lambda _: present)
        return proved(
            hints(day.weekday(), needed, present), present, past, replay or self.estimated_replay(known, terms), known
        )

    def estimated_replay(self, staff_of: Callable[[date], Sequence[int]], terms: StaffingTerms) -> EstimatedReplay:
        """Give the estimated replay of this queue's past days."""
        past = self.demand
        return EstimatedReplay(past.calls, past.losses, staff_of, self.seconds, self.patience.mean_s, terms)

    def _busy_days(self, expected: Forecast, number: int) -> int:
        return sum(self.demand.calls[day][number] > 0 for day in expected.days if day in self.demand.calls)

    def seconds(self, number: int) -> float:
        """Give the mean handling time in half hour `number`."""
        return self.handling.seconds(self.name, number)


class QueueLearner:
    """Learns every queue of a site call by call, each caller's calls in their order; no call is kept.

    `wrap_up_s` is added to handling times that lack it.
    """

    def __init__(self, zone: ZoneInfo, holidays: Container[date] = (), wrap_up_s: float = 0.0) -> None:
        self._zone, self._holidays = zone, holidays
        self._sorting: dict[str, DemandSorter] = {}
        self._timing, self._waiting = HandlingEstimator(zone, wrap_up_s), PatienceEstimator()

    def add(self, call: PastCall) -> bool:
        """Take a call; say whether it is fresh."""
        sorting = self._sorting.get(call.queue)
        if sorting is None:
            sorting = self._sorting[call.queue] = DemandSorter(self._zone)
        self._timing.add(call)
        self._waiting.add(call)
        return sorting.add(call)

    def queues(self) -> dict[str, Queue]:
        """Give the queues as learnt so far."""
        fits, times, closed = self._waiting.fits(), self._timing.handling(), self._holidays
        demands = {name: sorting.fresh() for name, sorting in sorted(self._sorting.items())}
        return {
            name: Queue(name, demand, times, fits[name], forecasts.habit(demand.calls, closed), closed)
            for name, demand in demands.items()
            if demand.calls
        }


def learn(
    calls: Iterable[PastCall], zone: ZoneInfo, holidays: Container[date] = (), wrap_up_s: float = 0.0
) -> dict[str, Queue]:
    """Learn every queue from calls in any order, as `QueueLearner` does."""
    learning = QueueLearner(zone, holidays, wrap_up_s)
    for call in sorted(calls, key=lambda call: call.at):
        learning.add(call)
    return learning.queues()
