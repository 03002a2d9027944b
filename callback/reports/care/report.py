"""The report of care for some days: one value for the page, the file for spreadsheets, the command and the API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from callback.accounts.roles import Groups
from callback.reports.care import figures, loop, topics
from callback.reports.care.figures import Asked, Cases, Given, Line, Split
from callback.reports.care.loop import Loop
from callback.reports.care.topics import Topic
from callback.reports.care.within import Within
from callback.site.work import Work
from scheduler.clock import begins, local

DAYS_BY_DAY: Final = 31
"""A longer time is told by weeks."""
MOST_DAYS: Final = 366
_ONE, _WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Wish:
    """From which day to which, both included, of which queues' groups, and by which part."""

    first: date
    last: date
    split: Split = "topic"
    groups: Groups = None


@dataclass(frozen=True, slots=True)
class Report:
    """What is learnt from these days, up to `until_at`; `before` are the cases of as many days before."""

    since_at: int
    until_at: int
    split: Split
    whole: Cases
    before: Cases
    times: tuple[tuple[int, Cases], ...]
    lines: tuple[Line, ...]
    asked: tuple[Asked, ...]
    given: tuple[Given, ...]
    loop: Loop
    topics: tuple[Topic, ...]
    week_at: int

    @property
    def hot(self) -> tuple[Topic, ...]:
        """The hot topics of the week that ends with the report."""
        return tuple(one for one in self.topics if one.hot)


def make(work: Work, wish: Wish) -> Report:
    """Read it, in the snapshot of this work."""
    zone = work.site.hours.zone
    since_at, until_at = begins(wish.first, zone), min(begins(wish.last + _ONE, zone), work.now + 1)
    within = Within(since_at, max(since_at, until_at), wish.groups)
    days = wish.last - wish.first + _ONE
    weeks = weeks_to(local(max(since_at, until_at - 1), zone).date(), zone)
    return Report(
        since_at=within.since_at,
        until_at=within.until_at,
        split=wish.split,
        whole=figures.whole(work, within),
        before=figures.whole(work, Within(begins(wish.first - days, zone), since_at, wish.groups)),
        times=tuple(figures.over_time(work, within, _cuts(wish, zone))),
        lines=tuple(figures.split(work, within, wish.split)),
        asked=tuple(figures.asked(work, within)),
        given=tuple(figures.given(work, within)),
        loop=loop.loop(work, within),
        topics=tuple(topics.of_week(work, weeks, replace(within, since_at=weeks[0]))),
        week_at=weeks[-1],
    )


def weeks_to(last: date, zone: ZoneInfo) -> Sequence[int]:
    """When the week that ends with this day begins, after when those before it do."""
    return [begins(last - 6 * _ONE - back * _WEEK, zone) for back in range(topics.WEEKS, -1, -1)]


def plain(cases: Cases) -> dict[str, Any]:
    """Every figure by its name, shares beside what they are of."""
    rates = {name: getattr(cases, name) for name in ("repeat_rate", "in_time_rate", "satisfied_rate")}
    counts = {name: getattr(cases, name) for name in Cases.__slots__}
    return counts | {name: None if rate is None else round(rate, 4) for name, rate in rates.items()}


def rows(report: Report, zone: ZoneInfo) -> Iterator[dict[str, Any]]:
    """Each line for a file: of what it is, and its figures."""
    yield {"of": "whole", "name": ""} | plain(report.whole)
    yield {"of": "before", "name": ""} | plain(report.before)
    for at, cases in report.times:
        yield {"of": "time", "name": str(local(at, zone).date())} | plain(cases)
    for line in report.lines:
        yield {"of": report.split, "name": line.of} | plain(line.cases)


def _cuts(wish: Wish, zone: ZoneInfo) -> tuple[int, ...]:
    step = _ONE if (wish.last - wish.first).days < DAYS_BY_DAY else _WEEK
    day, found = wish.first, []
    while day <= wish.last:
        found.append(begins(day, zone))
        day += step
    return tuple(found)


def as_json(report: Report, zone: ZoneInfo) -> dict[str, Any]:
    """All of it as plain values."""
    return {
        "since": _instant(report.since_at, zone),
        "until": _instant(report.until_at, zone),
        "split": report.split,
        "whole": plain(report.whole),
        "before": plain(report.before),
        "times": [{"since": _instant(at, zone)} | plain(cases) for at, cases in report.times],
        "lines": [{"name": line.of} | plain(line.cases) for line in report.lines],
        "asked": [asdict(one) | {"mean": one.mean} for one in report.asked],
        "given": [asdict(one) for one in report.given],
        "loop": asdict(report.loop),
        "week_since": _instant(report.week_at, zone),
        "topics": [asdict(one) for one in report.topics],
    }


def _instant(at: int, zone: ZoneInfo) -> str:
    return local(at, zone).isoformat(timespec="seconds")
