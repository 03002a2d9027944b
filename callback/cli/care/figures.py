"""`callback care`: what is learnt from cases, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Final

import typer

from callback.cli.options import DEFAULT, SettingsFile, reading
from callback.cli.tables import terminal
from callback.reports.care import report
from callback.reports.care.figures import LEAST, Cases, Split
from callback.reports.care.report import Report, Wish
from callback.settings.sections import load
from scheduler.clock import local

_HEADS: Final = ("cases", "repeats", "in time", "satisfied\nafter repair", "confirmed", "un-\nreachable", "open")


def care(
    settings: SettingsFile = DEFAULT,
    *,
    days: Annotated[int, typer.Option(min=1, max=report.MOST_DAYS, help="Of so many days, today among them.")] = 28,
    by: Annotated[Split, typer.Option("--by", help="One line for each of these.")] = "topic",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object with all figures.")] = False,
) -> None:
    """Show what is learnt from cases: repaired in time, satisfied, repeats, hot topics, and the loop from lost calls.

    Cases count by when they were opened. A share of fewer than 20 says little: "few" stands behind it.
    """
    with reading(load(settings)) as work:
        zone = work.site.hours.zone
        today = local(work.now, zone).date()
        made = report.make(work, Wish(today - timedelta(days=days - 1), today, by))
        if as_json:
            terminal.put_json(report.as_json(made, zone))
            return
    if not made.whole.opened and not made.asked:
        terminal.say(f"No case was opened, and nobody was asked, in the last {days} days.")
        return
    rows = [("all", made.whole), ("before", made.before), *((line.of or "-", line.cases) for line in made.lines)]
    terminal.put(terminal.table([by, *_HEADS], [_row(name, cases) for name, cases in rows], names={by}, figures=_HEADS))
    for line in _said(made):
        terminal.say(line)


def _row(name: str, one: Cases) -> list[str]:
    shares = ((one.repeats, one.opened), (one.in_time, one.timed), (one.satisfied, one.judged))
    counts = (one.confirmed, one.unreachable, one.still_open)
    return [name, str(one.opened), *(_share(*share) for share in shares), *map(str, counts)]


def _share(many: int, of: int) -> str:
    if not of:
        return "-"
    return f"{many / of:.0%} of {of}" + (" (few)" if of < LEAST else "")


def _said(made: Report) -> Iterable[str]:
    for asked in made.asked:
        yield f"asked ({asked.kind}): {asked.asked}, answered {asked.answered}, low {asked.low}"
    for topic in made.hot:
        cases = " ".join(f"#{case}" for case in topic.cases[:10])
        yield f"hot this week: {topic.title}: {topic.many}, {topic.mean:.1f} a week before ({cases})"
    days = made.loop.after_days
    for met in made.loop.met:
        complained = _share(met.complained, met.over)
        yield f"{met.pattern}: {met.customers} customers; complained within {days} days: {complained}"
    again = _share(made.loop.lost_again, made.loop.complainers)
    yield f"complained, and lost again within {days} days: {again}"
    for given in made.given:
        yield f"given: {given.title}: {given.times} times, worth {given.value:g}"
