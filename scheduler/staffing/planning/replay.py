"""Evidence by simulating past days: their callers, another staff, and the service's own rules in virtual time.

Calls come as they came, without the known redials; waits follow from the agents present. Patience and redials are
learnt from the site's own past. A caller who was lost then gets the talk time of a call served on that day. Each day is
simulated `seeds` times with other random draws, and added up.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import fields
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

from scheduler import policy
from scheduler.clock import SECOND, first
from scheduler.hours import Hours
from scheduler.promise import CARRIED_OVER
from scheduler.simulation.day import HUNG_UP, Arrival, Behaviour
from scheduler.simulation.draws import generator
from scheduler.simulation.presence import AgentDay
from scheduler.simulation.rules import SimulatedRules
from scheduler.simulation.survival import Curve, fit
from scheduler.simulation.world import World
from scheduler.staffing.halfhours import A_DAY, HALF_HOUR_S, half_hour, runs
from scheduler.staffing.planning.evidence import ReplayedDay

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from scheduler.simulation.day import LostCaller, SimulatedDay
    from scheduler.staffing.learning.fresh import PastCall
    from scheduler.staffing.planning.queue import Queue

DAYS_KEPT: Final = 70
"""The last eight weeks, and holidays between them."""
AGAIN_WITHIN_S: Final = 4 * 3600
SEEDS: Final = 3
DAYS_COMPARED: Final = 5
LONGEST_AFTER_S: Final = 255
_LONG_S: Final = 3600.0
_AN_HOUR: Final = 3600 * SECOND
_IN_TIME: Final = 1800 * SECOND
_LOST = -1

Each = Callable[[Callable[[date], int], Iterable[date]], Iterable[int]]


class PastDays:
    """Keeps for each fresh call of the last days when it came and its talk time; and all waits, in seconds."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._days: defaultdict[date, dict[str, tuple[array[int], array[int]]]] = defaultdict(dict)
        self._waits: defaultdict[tuple[str, bool], Counter[int]] = defaultdict(Counter)

    def add(self, call: PastCall, *, fresh: bool) -> None:
        """Take a call."""
        at, queue, _, _, waited_s, hung_up, handled_s, own = call
        if own:
            return
        self._waits[queue, hung_up][round(waited_s)] += 1
        if not fresh:
            return
        day, _ = half_hour(at, self._zone)
        if day not in self._days and len(self._days) >= DAYS_KEPT:
            del self._days[min(self._days)]
        queues = self._days[day]
        if queue not in queues:
            queues[queue] = array("q"), array("l")
        came_at, talk_s = queues[queue]
        came_at.append(at)
        talk_s.append(_LOST if handled_s is None else round(handled_s))

    def of(self, queue: str, day: date) -> list[tuple[int, int]]:
        """Give when each call came, and its talk time in seconds; -1: it was not answered."""
        return list(zip(*self._days[day][queue], strict=True)) if queue in self._days.get(day, {}) else []

    def last(self, queue: str, most: int) -> list[date]:
        """Give the last days on which callers came to the queue."""
        return sorted(day for day, queues in self._days.items() if queue in queues)[-most:]

    def patience(self, queue: str) -> Curve:
        """Give how long the queue's callers wait before they hang up."""
        hung_up, answered = (list(self._waits[queue, ended].elements()) for ended in (True, False))
        return fit(hung_up, answered, tail=bool(hung_up))


def redial_curve(gaps_s: Counter[int], losses: int) -> Curve:
    """Give when lost callers call again, from `gaps_s` of those of `losses` who did within `AGAIN_WITHIN_S`."""
    came = list(gaps_s.elements())
    return fit(came, [AGAIN_WITHIN_S] * max(0, losses - len(came)), tail=False)


class SimulatedReplay:
    """A replay of one queue's past days; it knows those that `past` keeps. `staff_of` says who was there then.

    A log does not tell the after-call work: it is set (`after_s`) so that the last days, simulated with the staff that
    they had and without callbacks, lose as many callers at the first try as they did. `each` may simulate these days at
    the same time.
    """

    def __init__(
        self,
        queue: Queue,
        past: PastDays,
        redial: Curve,
        hours: Hours,
        staff_of: Callable[[date], Sequence[int]],
        seeds: int = SEEDS,
        each: Each = map,
    ) -> None:
        self._queue, self._past, self._staff_of, self._seeds, self._each = queue, past, staff_of, seeds, each
        self._hours = _CachedHours(**{field.name: getattr(hours, field.name) for field in fields(Hours)})
        self._patience, self._redial = past.patience(queue.name), redial
        self._cached = lru_cache(maxsize=256)(self._simulate)
        self._cached_arrivals = lru_cache(maxsize=64)(self._arrivals)  # the same for whatever staff

    def __call__(self, day: date, staff: Sequence[int]) -> ReplayedDay:
        """Simulate `day` with `staff`."""
        return self._cached(day, tuple(staff))

    @cached_property
    def after_s(self) -> int:
        """For how long agents take no call after a talk, in whole seconds up to `LONGEST_AFTER_S`."""
        days = self._past.last(self._queue.name, DAYS_COMPARED)
        for day in days:  # arrivals and draws are remembered here, once: not anew by the processes of each round
            self._cached_arrivals(day, 0)
        for day in days[:1]:
            self._lost_at_first_try(day, 0)
        low, high = 0, LONGEST_AFTER_S
        while low < high:
            middle = (low + high) // 2
            lost, lived = self.compared(days, middle)
            low, high = (middle + 1, high) if lived < lost else (low, middle)
        return low

    def compared(self, days: Sequence[date], after_s: int) -> tuple[float, float]:
        """Give the share of callers lost at first try on past days: as logged, and as simulated without callbacks."""
        calls = [call for day in days for call in self._past.of(self._queue.name, day)]
        logged = sum(talk_s == _LOST for _, talk_s in calls)
        simulated = sum(self._each(lambda day: self._lost_at_first_try(day, after_s), days))
        return logged / max(1, len(calls)), simulated / max(1, len(calls))

    def _lost_at_first_try(self, day: date, after_s: int) -> int:
        """Count the callers of a day who hang up at their first try; each caller has one."""
        simulated = self._simulated(day, tuple(self._staff_of(day)), 0, None, after_s)
        return sum(call.end == HUNG_UP for call in simulated.calls if not call.redial)

    def _simulate(self, day: date, staff: tuple[int, ...]) -> ReplayedDay:
        sums = _HalfHourSums(self._hours.zone)
        for seed in range(self._seeds):
            sums.add(self._simulated(day, staff, seed, policy.DEFAULT, self.after_s))
        return sums.day()

    def _simulated(
        self, day: date, staff: tuple[int, ...], seed: int, rule: policy.CallbackPolicy | None, after_s: int
    ) -> SimulatedDay:
        name, starts_at = self._queue.name, self._midnight(day)
        arrivals = self._cached_arrivals(day, seed)
        staffed = max((number + 1 for number in range(A_DAY) if staff[number]), default=0)
        ends_at = max(_at(starts_at, staffed), *(arrival.at for arrival in arrivals), starts_at) + _AN_HOUR
        usual_s = self._queue.handling.by_queue.get(name, self._queue.handling.site_s) + after_s
        rules = SimulatedRules(self._hours, rule, usual_s, min(self._queue.patience.mean_s, _LONG_S))
        behaviour = Behaviour({name: self._patience}, self._redial, (after_s,))
        return World(arrivals, _agent_days(staff, starts_at, name), behaviour, rules, seed, ends_at).run()

    def _arrivals(self, day: date, seed: int) -> list[Arrival]:
        calls = self._past.of(self._queue.name, day)
        talks = [talk_s for _, talk_s in calls if talk_s != _LOST]
        arrivals = []
        for number, (at, seen_s) in enumerate(calls):
            talk_s = seen_s
            if seen_s == _LOST:
                usual_s = round(self._queue.seconds(half_hour(at, self._hours.zone)[1]))
                talk_s = generator(seed, number).choice(talks) if talks else usual_s
            arrivals.append(Arrival(number, at, self._queue.name, talk_s))
        return arrivals

    def _midnight(self, day: date) -> int:
        return first(datetime(day.year, day.month, day.day), self._hours.zone)  # noqa: DTZ001 - the site's wall clock


class _CachedHours(Hours):
    """Hours that cache the last stretch: the thousands of questions of one day are about one or two."""

    def stretch(self, now: int) -> tuple[int, int]:
        _, start, cut, _ = self._known(now)
        return max(now, start), cut

    def may_ring(self, now: int) -> bool:
        return self._known(now)[1] <= now

    def ring_until(self, now: int) -> int | None:
        _, start, _, quiet_at = self._known(now)
        return quiet_at if start <= now else None

    def _known(self, now: int) -> tuple[int, int, int, int]:
        """Give since when it is known, the stretch, and when quiet hours begin after its start."""
        known: tuple[int, int, int, int] = self.__dict__.get("known", (0, 0, 0, 0))
        if not known[0] <= now < known[2]:
            start, cut = super().stretch(now)
            known = self.__dict__["known"] = now, start, cut, self._next_quiet(start)
        return known


def _agent_days(staff: Sequence[int], starts_at: int, queue: str) -> list[AgentDay]:
    """Give agents so that in each half hour as many are present as `staff` says."""
    agent_days = []
    for place in range(max(staff)):
        numbers = [number for number in range(A_DAY) if staff[number] > place]
        there = tuple((_at(starts_at, begin), _at(starts_at, end + 1)) for begin, end in runs(numbers))
        agent_days.append(AgentDay(f"agent {place + 1}", frozenset({queue}), there))
    return agent_days


def _at(starts_at: int, number: int) -> int:
    return starts_at + number * HALF_HOUR_S * SECOND


class _HalfHourSums:
    """Adds up simulated days by the half hour in which callers came."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._rows = {name: [0.0] * A_DAY for name in ("calls", "hung_up", "lost", "dialled", "reached", "closed")}

    def add(self, simulated: SimulatedDay) -> None:
        """Add a day. A caller carried over to the next day is not counted: no staff of this day could call back."""
        for call in simulated.calls:
            self._count(call.at, calls=True, hung_up=call.end == HUNG_UP)
        for lost in simulated.lost:
            if lost.promise.reason != CARRIED_OVER:
                dialled, reached = _soon(lost, lost.dialled_at), _soon(lost, lost.reached_at)
                returned = lost.closed == "served" and _soon(lost, lost.redialled_at)
                self._count(lost.lost_at, lost=True, dialled=dialled, reached=reached, closed=reached or returned)

    def day(self) -> ReplayedDay:
        """Give the sums."""
        return ReplayedDay(**{name: tuple(row) for name, row in self._rows.items()})

    def _count(self, at: int, **facts: bool) -> None:
        number = half_hour(at, self._zone)[1]
        for name, holds in facts.items():
            self._rows[name][number] += holds


def _soon(lost: LostCaller, at: int | None) -> bool:
    return at is not None and at <= lost.promise.clock_starts_at + _IN_TIME
