"""The day so far against its forecast, the promises that will break, and who could help where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Final, Literal
from zoneinfo import ZoneInfo

from callback.attempts import snapshot
from callback.history.counts import History, site_demand
from callback.history.past_calls import past_calls
from callback.reports import breaking, standing
from callback.reports.breaking import Breaking
from callback.reports.queue.why import BLIND, stopped_by
from callback.reports.standing import NOTHING, Standing
from callback.site.context import Site
from callback.site.work import Work
from scheduler import clock
from scheduler.clock import DAY, MINUTE
from scheduler.staffing.halfhours import A_DAY, half_hour
from scheduler.staffing.learning.forecast import Forecast, Habit, forecast, habit
from scheduler.staffing.learning.fresh import Fresh
from scheduler.staffing.planning import intraday as staffing
from scheduler.staffing.planning.intraday import Advice, DayDeviation
from scheduler.staffing.planning.need import StaffingTerms
from scheduler.staffing.planning.queue import Queue

PAST: Final = 60 * DAY  # eight weeks, for the last same weekdays, and a little more
SETTLED: Final = 10 * MINUTE  # after its end nearly every call of a half hour has ended as well, and is known
AHEAD: Final = 4  # half hours: nobody knows who works later
_NOBODY: Final = (0.0,) * A_DAY


@dataclass(frozen=True, slots=True)
class Course:
    """How fresh calls and losses of a queue go (empty name: of the site), whole and by half hour that has passed.

    They are held against `days` days chosen as `basis` says; on such days `anybody` calls, or nobody ever did.
    """

    queue: str
    basis: str
    days: int
    calls: DayDeviation
    losses: DayDeviation
    half_hours: Mapping[int, tuple[DayDeviation, DayDeviation]]
    anybody: bool = True

    @property
    def outside(self) -> int:
        """In how many half hours more or fewer called than chance allows."""
        return sum(calls.leaves is not None for calls, _ in self.half_hours.values())


@dataclass(frozen=True)
class Today:
    """What is known at `now`. `at_work` are the phones of those who are, by queue; None: nobody knows.

    `stopped` says why nobody at all is called back, where it is so.
    """

    site: Site
    now: int
    history: History
    at_work: Mapping[str, frozenset[str]] | None
    breaking: Mapping[str, Breaking]
    stopped: str | None = None
    standing: Standing = NOTHING

    @property
    def zone(self) -> ZoneInfo:
        """The site's."""
        return self.history.zone

    @cached_property
    def day(self) -> date:
        """The day on the site's clock."""
        return half_hour(self.now, self.zone)[0]

    @cached_property
    def closed(self) -> Literal["a holiday", "its opening hours"] | None:
        """Why the site does not open today; then calls are held against nothing, and nobody is needed."""
        if self.site.hours.opens_on(self.day):
            return None
        return "a holiday" if self.day in self.site.hours.holidays else "its opening hours"

    @cached_property
    def came(self) -> int:
        """How many called today so far."""
        return round(sum(sum(queue.demand.calls.get(self.day, ())) for queue in self._queues.values()))

    @cached_property
    def _queues(self) -> Mapping[str, Queue]:
        return self.history.learnt()

    @cached_property
    def half_hour(self) -> int:
        """The half hour that it is."""
        return half_hour(self.now, self.zone)[1]

    @cached_property
    def passed(self) -> range:
        """The half hours of today of which nearly all is known."""
        day, number = half_hour(self.now - SETTLED, self.zone)
        return range(number if day == self.day else 0)

    @cached_property
    def ahead(self) -> range:
        """The half hours for which anything can be said of who is there."""
        return range(self.half_hour, min(self.half_hour + AHEAD, A_DAY))

    @cached_property
    def learnt(self) -> dict[str, Queue]:
        """Every queue that called before today, with habits learnt from whole days alone."""
        return {
            name: replace(queue, habit=self._habit(queue.demand.calls))
            for name, queue in self._queues.items()
            if min(queue.demand.calls) < self.day
        }

    def _habit(self, table: Mapping[date, tuple[float, ...]]) -> Habit:
        return habit(table, self.history.holidays, until=self.day)

    @cached_property
    def courses(self) -> list[Course]:
        """The site first, then its queues where there are several. None on a day on which the site is closed."""
        if self.closed:
            return []
        named = {name: queue.demand for name, queue in self.learnt.items()}
        site = {"": site_demand(self.learnt.values())} if named else {}
        return [self._course(name, demand) for name, demand in (site | (named if len(named) > 1 else {})).items()]

    def _course(self, name: str, demand: Fresh) -> Course:
        calls, losses = (_Against(self, table) for table in (demand.calls, demand.losses))
        half_hours = {
            number: (calls.over(range(number, number + 1)), losses.over(range(number, number + 1)))
            for number in self.passed
            if calls.came[number] or calls.expected.mean[number]
        }
        expected = calls.expected
        tallies = calls.over(self.passed), losses.over(self.passed)
        return Course(name, expected.basis, len(expected.days), *tallies, half_hours, any(expected.mean))

    @cached_property
    def needed(self) -> dict[str, tuple[int, ...]]:
        """The agents that the half hours ahead need at their desks, by queue, bettered by how the day has gone.

        None of a queue of which too little is known, nor where the site is closed.
        """
        if self.closed:
            return {}
        terms = StaffingTerms(again_share=min(1.0, self.history.site().again_share))
        found = {}
        for name, queue in self.learnt.items():
            if queue.too_little(self.day):
                continue
            so_far = queue.demand.calls.get(self.day, _NOBODY)[: len(self.passed)]
            need = queue.need(self.day, terms, so_far=so_far)
            found[name] = tuple(need[number].at_work for number in self.ahead)
        return found

    @property
    def too_little(self) -> dict[str, str]:
        """Of which queues too little is known to say whom they need, and why."""
        known = {} if self.closed else {name: queue.too_little(self.day) for name, queue in self.learnt.items()}
        return {name: why for name, why in known.items() if why}

    @cached_property
    def advice(self) -> list[Advice]:
        """Who is to help where: moves between queues of a group, then additions. None where nobody knows who is there.

        A queue that nobody listens to is not advised.
        """
        if self.at_work is None:
            return []
        needed = {queue: row for queue, row in self.needed.items() if queue in self.at_work}
        return staffing.advise(needed, self.at_work, self.half_hour, self._same_group)

    def _same_group(self, queue: str, other: str) -> bool:
        return self.site.rules.queue(queue).group == self.site.rules.queue(other).group

    def begins_at(self, number: int) -> int:
        """Say when half hour `number` of today begins; 48 is midnight."""
        wall = datetime.combine(self.day, time()) + timedelta(minutes=30 * number)
        return clock.first(wall, self.zone)

    def losses(self, queue: str, numbers: range, day: date | None = None) -> float:
        """Count the fresh losses of a queue in some half hours of a day."""
        known = self.learnt.get(queue)
        row = known.demand.losses.get(day or self.day, _NOBODY) if known else _NOBODY
        return sum(row[number] for number in numbers)

    def losses_expected(self, queue: str, numbers: range) -> float:
        """Forecast the same for today."""
        return sum(self.learnt[queue].loses(self.day).mean[number] for number in numbers)


class _Against:
    """What came today, and what was expected of the day before it began."""

    def __init__(self, today: Today, table: Mapping[date, tuple[float, ...]]) -> None:
        self._habit = habit(table, today.history.holidays, until=today.day)
        self.came: Sequence[float] = table.get(today.day, _NOBODY)
        self.expected: Forecast = forecast(table, today.day, today.history.holidays, habit=self._habit)

    def over(self, numbers: range) -> DayDeviation:
        return staffing.deviation(self.expected, self.came, self._habit, numbers)


def look(work: Work) -> Today:
    """Look at the day of one PBX."""
    site, now = work.site, work.now
    history = History(site.hours.zone, site.hours.holidays)
    for call in past_calls(work.connection, site.pbx, now - PAST):
        history.add(call)
    picture = snapshot.recall(work.connection, site.pbx)
    stopped = stopped_by(picture, now)
    at_work = picture[0].at_work if picture and stopped not in BLIND and picture[0].at_work else None
    return Today(site, now, history, at_work, breaking.look(work, picture), stopped, standing.look(work))
