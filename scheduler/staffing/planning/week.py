"""The days to come, queue by queue: agents needed, agents planned, and hints for the supervisor."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import timedelta
from statistics import median_low
from typing import TYPE_CHECKING

from scheduler.staffing.halfhours import A_DAY
from scheduler.staffing.planning.evidence import evidence
from scheduler.staffing.planning.hints import hints, raised
from scheduler.staffing.planning.queue import SURE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from scheduler.staffing.learning.attendance import Attendance
    from scheduler.staffing.learning.forecast import Forecast
    from scheduler.staffing.planning.evidence import Replay
    from scheduler.staffing.planning.hints import Hint
    from scheduler.staffing.planning.need import StaffingTerms
    from scheduler.staffing.planning.queue import Queue
    from scheduler.staffing.planning.roster import Roster

_WEEKS = 8


@dataclass(frozen=True, slots=True)
class Staff:
    """Agents present (`attendance`), and planned (`roster`; without one, the median of same weekdays)."""

    attendance: Attendance
    roster: Roster | None = None

    def was(self, queue: str, day: date) -> tuple[int, ...]:
        """Count the agents present on a past day; where that is not known, those planned."""
        if self.roster is not None and day not in self.attendance.by_queue.get(queue, {}):
            return self.planned(queue, day)
        return self.attendance.of(queue, day)

    def planned(self, queue: str, day: date) -> tuple[int, ...]:
        """Count the agents planned for a day."""
        if self.roster is not None:
            return tuple(math.floor(count + 0.5) for count in self.roster.present(day, queue))
        known = self.attendance.by_queue.get(queue, {})
        past = sorted(before for before in known if before < day and before.weekday() == day.weekday())[-_WEEKS:]
        counts = [self.attendance.of(queue, before) for before in past]
        return tuple(median_low(column) for column in zip(*counts, strict=True)) if counts else (0,) * A_DAY


@dataclass(frozen=True, slots=True)
class Outlook:
    """One queue on one day to come: calls and losses expected, agents `needed` on the roster and `planned`.

    Where `too_little` is known, and of what, nothing is said: as many are needed as are planned.
    """

    queue: str
    expected: Forecast
    losses: tuple[float, ...]
    needed: tuple[int, ...]
    planned: tuple[int, ...]
    hints: tuple[Hint, ...]
    too_little: str = ""

    @property
    def day(self) -> date:
        """The day."""
        return self.expected.day

    def weight(self, hint: Hint) -> float:
        """Give the callers expected to be lost in the half hours of a hint."""
        return math.fsum(self.losses[number] for number in hint.half_hours)


def to_come(queues: Mapping[str, Queue], first: date, days: int = 7) -> list[tuple[Queue, date]]:
    """Give so many days from `first` on by queue, but for those on which nothing ever came."""
    return [
        (queue, day)
        for queue in queues.values()
        for day in (first + timedelta(days=number) for number in range(days))
        if any(known.weekday() == day.weekday() for known in queue.demand.calls)
    ]


def worst(queues: Mapping[str, Queue], first: date, most: int, days: int = 7) -> list[tuple[Queue, date]]:
    """Give those of the days to come that are expected to lose most."""
    return sorted(to_come(queues, first, days), key=lambda pair: -math.fsum(pair[0].loses(pair[1]).mean))[:most]


def outlook(queue: Queue, day: date, staff: Staff, terms: StaffingTerms, sure: float = SURE) -> Outlook:
    """Give the outlook of one queue on one day."""
    planned, expected, losses = staff.planned(queue.name, day), queue.expects(day), queue.loses(day).mean
    if too_little := queue.too_little(day):
        return Outlook(queue.name, expected, losses, planned, planned, (), too_little)
    needed = tuple(each.roster for each in queue.need(day, terms, sure))
    return Outlook(queue.name, expected, losses, needed, planned, tuple(hints(day.weekday(), needed, planned)))


def wanting(outlooks: Iterable[Outlook]) -> list[tuple[Outlook, Hint]]:
    """Give the hints that ask for more agents, those of most lost callers first."""
    asked = [(each, hint) for each in outlooks for hint in each.hints if hint.more > 0]
    return sorted(asked, key=lambda pair: -pair[0].weight(pair[1]))


def proved(outlook: Outlook, hint: Hint, queue: Queue, staff: Staff, replay: Replay) -> Hint:
    """Add the evidence to a hint: the same weekdays before it, with the staff they had, and with the hint."""
    days: Sequence[date] = sorted(queue.loses(outlook.day).days)
    if not days:
        return hint
    hinted = raised(hint, outlook.planned)
    return replace(
        hint, evidence=evidence(replay, days, hint.half_hours, hinted, lambda day: staff.was(queue.name, day))
    )


def shown(outlook: Outlook) -> Iterator[tuple[int, float, int, int]]:
    """Give the half hours in which calls or agents are expected: number, calls, needed, planned."""
    for number in range(A_DAY):
        if outlook.needed[number] or outlook.planned[number]:
            yield number, outlook.expected.mean[number], outlook.needed[number], outlook.planned[number]
