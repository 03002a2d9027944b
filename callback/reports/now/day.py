"""The day so far against its forecast. It is learnt from weeks of calls, so it is never made while a page waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from callback.history.counts import History
from callback.history.past_calls import calls_between
from callback.reports.today import PAST, Course, Today
from callback.site.context import Site
from callback.site.work import Work
from scheduler import clock
from scheduler.clock import DAY, HOUR
from telephony.queue_log.briefs import Brief

FEWEST_DAYS: Final = 3
"""Against fewer days than that nothing is forecast: one quiet day would make each call of today too many."""
LONGEST: Final = 3 * HOUR
"""A call that lasts longer is counted tomorrow, when all is read anew."""
PIECE: Final = 100
"""Calls that are learnt from without a rest: some milliseconds."""

Look = Callable[[Callable[[Work], Any]], Any]
"""Does some reading in a snapshot of its own."""


@dataclass(frozen=True, slots=True)
class Day:
    """The day as it was known at `at`.

    `courses` are the whole site's (its queue has no name) and each queue's, fresh calls and losses by half hour; there
    are none where the site is `closed` today, or fewer than `FEWEST_DAYS` days like it are known. `passed` are the half
    hours counted.
    """

    at: int
    day: date
    closed: str | None
    came: int
    passed: range
    courses: tuple[Course, ...]

    def of(self, site: Site, groups: frozenset[str] | None) -> tuple[Course, ...]:
        """Give the courses that a viewer of these groups sees: the whole site's only where all may be seen."""
        if groups is None:
            return self.courses
        return tuple(one for one in self.courses if one.queue and site.rules.queue(one.queue).group in groups)


class DayReader:
    """Reads what the day is held against, day by day in short reads; afterwards only what is new.

    `rest` is called after each piece of the work with the seconds that it took: it may wait, so that others get on, or
    raise, to end it. What was read by then is not read again.
    """

    def __init__(self, look: Look, rest: Callable[[float], object] = lambda _took_s: None) -> None:
        self._look, self._rest = look, rest
        self._history: History | None = None
        self._day: date | None = None
        self._until = 0
        self._known: dict[str, int] = {}  # calls that may be read again, and when they were over

    def read(self) -> Day:
        """Bring it up to date: a second or more the first time on a day, then some milliseconds."""
        site, now = self._look(lambda work: (work.site, work.now))
        day = clock.local(now, site.hours.zone).date()
        if self._history is None or day != self._day:
            self._history, self._day, self._known = History(site.hours.zone, site.hours.holidays), day, {}
            self._until = now - PAST + LONGEST
        history = self._history
        begin = self._until - LONGEST
        while begin < now:
            until = min(begin + DAY, now)
            self._add(history, begin, until)
            self._until = begin = until
        today = Today(site, now, history, None, {})
        known = tuple(course for course in today.courses if course.days >= FEWEST_DAYS)
        return Day(now, day, today.closed, today.came, today.passed, known)

    def _add(self, history: History, since: int, until: int) -> None:
        began_s = time.thread_time()
        calls: list[Brief] = self._look(lambda work: list(calls_between(work.connection, work.pbx, since, until)))
        for number, call in enumerate(calls, 1):
            if call.call_id not in self._known:
                self._known[call.call_id] = call.over_at
                history.add(call)
            if number % PIECE == 0:
                self._rest(time.thread_time() - began_s)
                began_s = time.thread_time()
        self._rest(time.thread_time() - began_s)
        again = until - 2 * LONGEST
        self._known = {call_id: over_at for call_id, over_at in self._known.items() if over_at >= again}
