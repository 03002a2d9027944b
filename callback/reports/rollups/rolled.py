"""Reads sums of what is rolled up, and says how far that goes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from sqlalchemy import Table, case, func, literal, select

from callback.reports.rollups.counting import Counted, count
from callback.reports.rollups.spans import HALF_HOUR, By, day_begins, half_hour_begins, next_day, spans
from callback.site.work import Work
from callback.store import tables as t
from callback.store.tables.rollups import COUNTS, FIRST_TRY, OF_AGENTS, REACH
from scheduler.clock import DAY

LIVE_MOST: Final = DAY
"""So much is counted while one waits for it; what is older and not rolled up yet is left out, and told."""
_MOST_CASES: Final = 60
_S = t.rollup_state.c


@dataclass(frozen=True, slots=True)
class Kind:
    """What is rolled up beside each other: half hours, days, and what is counted of each."""

    halves: Table
    days: Table
    counted: tuple[str, ...]


CALLS: Final = Kind(t.rollup_half_hour, t.rollup_day, (*COUNTS, *FIRST_TRY, *REACH))
AGENTS: Final = Kind(t.rollup_agent_half_hour, t.rollup_agent_day, OF_AGENTS)


class Sum(NamedTuple):
    """The sums of one span of time (its place among all) and one part of the site, in the order of what is counted."""

    span: int
    of: str
    counts: Sequence[int]


@dataclass(frozen=True, slots=True)
class Cover:
    """How far there are figures for the time that is asked for: rolled up until `live_from`, and then counted."""

    since: int
    live_from: int
    until: int


@dataclass(frozen=True)
class Reading:
    """What reads the figures of some time; what is not rolled up is counted once, for all that is read."""

    work: Work
    covered: Cover

    @cached_property
    def rest(self) -> Counted:
        """What is not rolled up, counted now."""
        if self.covered.live_from == self.covered.until:
            return Counted()
        return count(self.work, self.covered.live_from, self.covered.until)

    def wanted(self, by: By, split: str, groups: frozenset[str] | None) -> Wanted:
        """Divide the time that is covered."""
        zone = self.work.site.hours.zone
        return Wanted(list(spans(self.covered.since, self.covered.until, by, zone)), split, groups)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The spans of time, by which column figures are split ("": by none), and whose groups of queues (None: all)."""

    spans: Sequence[tuple[int, int]]
    split: str
    groups: frozenset[str] | None

    def span_of(self, at: int) -> int:
        """Give the place of the span around an instant."""
        return bisect_right(self.spans, at, key=lambda span: span[0]) - 1


def reading(work: Work, since: int, until: int) -> Reading:
    """Read what there is of some time."""
    zone = work.site.hours.zone
    state = work.connection.execute(select(t.rollup_state).where(_S.pbx == work.pbx)).first()
    if state is None or state.zone != zone.key:
        rolled_since = rolled_until = half_hour_begins(work.now - LIVE_MOST, zone)
    else:
        rolled_since, rolled_until = state.since_at, state.until_at
    until = min(until, work.now + 1, rolled_until + LIVE_MOST + HALF_HOUR)
    since = min(max(since, rolled_since), until)
    return Reading(work, Cover(since, min(max(since, rolled_until), until), until))


def sums(read: Reading, kind: Kind, what: Wanted, whole_days: bool) -> Iterator[Sum]:  # noqa: FBT001
    """Sum up what is rolled up, by days where `whole_days` says that they do."""
    work, covered = read.work, read.covered
    zone, since, until = work.site.hours.zone, covered.since, covered.live_from
    if not whole_days:
        yield from _summed(work, kind.halves, kind.counted, (since, until), what)
        return
    first = since if day_begins(since, zone) == since else min(next_day(since, zone), until)
    last = until if covered.until > until else max(first, day_begins(until, zone))
    yield from _summed(work, kind.halves, kind.counted, (since, first), what)
    yield from _summed(work, kind.days, kind.counted, (first, last), what)
    yield from _summed(work, kind.halves, kind.counted, (last, until), what)


def _summed(work: Work, table: Table, counted: Sequence[str], between: tuple[int, int], what: Wanted) -> Iterator[Sum]:
    since, until = between
    if since >= until:
        return
    c, first, last = table.c, what.span_of(since), what.span_of(until - 1)
    cases = [(c.begins_at < what.spans[place][1], place) for place in range(first, last)]
    by_case = len(cases) <= _MOST_CASES
    span = c.begins_at if not by_case else case(*cases, else_=last) if cases else literal(last)
    keys = [span.label("span"), *([c[what.split].label("of")] if what.split else [])]
    query = select(*keys, *(func.sum(c[name]) for name in counted))
    query = query.where(c.pbx == work.pbx, c.begins_at >= since, c.begins_at < until)
    if what.groups is not None:
        query = query.where(c.queue_group.in_(what.groups))
    query = query.group_by(*(["span"] if cases else []), *(["of"] if what.split else []))
    for place, *row in work.connection.execute(query):
        of, counts = (row[0], row[1:]) if what.split else ("", row)
        if counts[0] is not None:  # as without any row, where nothing divides them
            yield Sum(place if by_case else what.span_of(place), of, list(map(int, counts)))
