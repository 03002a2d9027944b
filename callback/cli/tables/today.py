"""The day for people: what was expected, which promises break or stand broken, what helps now. It fits 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from callback.cli.tables import terminal
from callback.cli.tables.queue import WORDS
from callback.cli.tables.report import show
from callback.reports import advice
from callback.reports.advice import KeptAdvice
from callback.reports.breaking import Breaking
from callback.reports.standing import Owed
from callback.reports.today import Course, Today
from scheduler.clock import local, shown
from scheduler.incident import drain_s, late
from scheduler.staffing.halfhours import clock_time, half_hour
from scheduler.staffing.planning.intraday import SURE, DayDeviation

_MOST: Final = 10  # people who are named in one table


def put(seen: Today, kept: Sequence[KeptAdvice]) -> None:
    """Print it."""
    console = Console()
    show(console, [f"{local(seen.now, seen.zone):%a %d %b, %H:%M} ({seen.zone.key})"])
    if seen.closed:
        show(console, _closed_said(seen))
    else:
        _put_course(console, seen.courses, clock_time(len(seen.passed)))
        _put_promises(console, seen)
        show(console, _helps(seen), "What helps now")
    if kept:
        show(console, (line for row in kept for line in _kept_said(seen, row)), "What came of advice")


def _closed_said(seen: Today) -> Iterator[str]:
    opens = local(seen.site.hours.next_opening(seen.now), seen.zone)
    yield f"The site is closed today ({seen.closed}): nobody is needed, and nobody is called back."
    came = f"{_many(seen.came, 'call')} came all the same" if seen.came else "No call came"
    yield f"{came}. Callbacks go on from {opens:%a %d %b %H:%M}."


def _put_course(console: Console, courses: Sequence[Course], until: str) -> None:
    show(console, _courses_said(courses), f"Against the forecast, until {until}")
    if courses and courses[0].half_hours and courses[0].anybody:
        terminal.put(_half_hours(courses[0]))


def _courses_said(courses: Sequence[Course]) -> Iterator[str]:
    if not courses:
        yield "no call is known from before today: import a log, or wait a day"
    for one in courses:
        name = one.queue or "all"
        if one.anybody:
            yield f"{name}: {_said(one.calls, 'calls')}"
            yield f"  {_said(one.losses, 'lost')} (mean of {one.days}: {one.basis})"
        else:
            yield f"{name}: {one.calls.came:.0f} calls, none expected: on the last {one.days} such days nobody called"
    if courses and courses[0].anybody and (known := len(courses[0].half_hours)):
        chance = round((1 - SURE) * known)
        yield f"{courses[0].outside} of {known} half hours are outside of their band; chance alone puts {chance} there"


def _said(tally: DayDeviation, what: str) -> str:
    leaves = f"{tally.leaves} than chance allows" if tally.leaves else "as expected"
    return f"{tally.came:.0f} {what}, {tally.low} to {tally.high} expected: {leaves}"


def _half_hours(course: Course) -> Table:
    heads = ("", "calls", "expected", "band", "lost", "expected", "band")
    rows = [
        (clock_time(number), *(cell for tally in tallies for cell in _cells(tally)))
        for number, tallies in course.half_hours.items()
    ]
    return terminal.table(heads, rows, figures=heads[1:])


def _cells(tally: DayDeviation) -> tuple[Text, str, str]:
    came = terminal.styled(f"{tally.came:.0f}", "bold reverse" if tally.leaves else "")
    return came, f"{tally.expected:.1f}", f"{tally.low}-{tally.high}"


def _put_promises(console: Console, seen: Today) -> None:
    """Print who was let down already, who is held, and whose time will pass."""
    broken, held = seen.standing.broken, seen.standing.by_holder
    if broken:
        said = (
            f"{_many(len(broken), 'caller')} not called in time, and still to be: after those whose time has not passed"
        )
        show(console, [said], "Broken promises")
        _put_named(console, seen, broken, "callback queue --overdue")
    if held:
        show(console, [], "Promises of those who are held: nobody calls them")
    for incident, ones in held.items():
        show(console, [_held_said(seen, incident, ones)])
        _put_named(console, seen, ones, "callback queue --state held")
    breaking = {group: one for group, one in seen.breaking.items() if one.broken}
    none = "none of those who are not held" if held else "no other" if broken else "none"
    show(console, [] if breaking else [none], "Promises that will break if nothing is done")
    for group, one in breaking.items():
        show(console, [_breaking_said(seen, group, one)])
        _put_named(console, seen, one.owed, "callback queue")


def _held_said(seen: Today, incident: int | None, ones: Sequence[Owed]) -> str:
    passed = sum(one.deadline_at <= seen.now for one in ones)
    whose = "by a person or the service" if incident is None else f"by incident {incident} ({ones[0].cause})"
    ends = [f"{passed} broken already"] if passed else []
    if passed < len(ones):
        ends.append(f"{len(ones) - passed} by {_time(seen, ones[-1].deadline_at)}")
    return f"{len(ones)} held {whose}: {', '.join(ends)}"


def _breaking_said(seen: Today, group: str, one: Breaking) -> str:
    by_half = groupby(one.owed, key=lambda owed: half_hour(owed.deadline_at, seen.zone)[1])
    when = ", ".join(f"{len(list(ones))} from {clock_time(number)}" for number, ones in by_half)
    return f"{group}: {len(one.broken)} of {one.forecast.due} will miss their time: {when}"


def _put_named(console: Console, seen: Today, ones: Sequence[Owed], rest: str) -> None:
    told = any(one.told_at is not None for one in ones)
    heads = ("#", "number", "queue", "by", *(("told since",) if told else ()))
    rows = [
        (str(one.reservation), one.number, one.queue, *(_time(seen, at) for at in _times(one)[: 1 + told]))
        for one in ones[:_MOST]
    ]
    terminal.put(terminal.table(heads, rows, figures={"#"}))
    if len(ones) > _MOST:
        show(console, [f"and {len(ones) - _MOST} more: `{rest}`"])


def _times(one: Owed) -> tuple[int | None, int | None]:
    return one.deadline_at, one.told_at


def _helps(seen: Today) -> Iterator[str]:
    """Say what helps; of live callers, also where that cannot be told."""
    first = [*_stopped_said(seen), *_promises_helped(seen)]
    yield from first
    if seen.at_work is None:
        return
    lines = [f"{one.said(seen.half_hour)} ({advice.why(seen, one)})" for one in seen.advice]
    yield from lines
    for queue, why in seen.too_little.items():
        yield f"whom live callers of {queue or '(none)'} need nobody knows: {why}"
    if not seen.learnt:
        yield "nobody knows who is needed for live callers: no day before this one is known"
    elif seen.needed and not lines:
        yield "live callers lack nobody" if first else "nobody is missing"


def _stopped_said(seen: Today) -> Iterator[str]:
    if seen.at_work is None:
        yield f"{WORDS.get(seen.stopped or '', 'no agent is shown')}: nobody knows who is there"
    if seen.stopped is not None:
        yield f"nobody is called back: {WORDS.get(seen.stopped, seen.stopped)}; `callback doctor` says what to mend"


def _promises_helped(seen: Today) -> Iterator[str]:
    """Say how promises can still be kept: by more agents, and by letting go who is held."""
    for group, one in seen.breaking.items():
        told = one.forecast
        if told.more and seen.stopped is None:
            agents = "agent" if told.more == 1 else "agents"
            yield (
                f"{group}: {told.more} more {agents} until {_time(seen, told.until_at)} "
                f"would keep {_many(told.missed, 'promise')}"
            )
    rate = seen.site.rules.incident_drain_per_min
    for incident, ones in seen.standing.by_holder.items():
        if incident is not None:
            minutes = -(-drain_s(len(ones), rate) // 60)
            lost = late([one.deadline_at for one in ones], seen.now, rate)
            meanwhile = f"; meanwhile {_many(lost, 'promise')} will break" if lost else ""
            what = f'`callback incident release {incident} --why "…"`'
            yield f"{what}: {len(ones)} callers in {minutes:.0f} min{meanwhile}"
        else:
            yield f'`callback reservation resume N --why "…"`: {len(ones)} held one by one'


def _kept_said(seen: Today, row: KeptAdvice) -> Iterator[str]:
    whose = f"{row.agents} from {row.from_queue}" if row.from_queue else f"{row.agents} more"
    begins = local(row.begins_at, seen.zone)
    yield f"{begins:%a %d %b %H:%M}-{local(row.until_at, seen.zone):%H:%M} {row.queue}: {whose} ({row.why})"
    came = f"; it came to {row.came_of['losses']:.0f} lost, {row.came_of['missed']} missed" if row.came_of else ""
    yield f"  expected {row.expected['losses']:.1f} lost, {row.expected['missed']} promises missed{came}"


def _time(seen: Today, at: int | None) -> str:
    return "" if at is None else shown(at, seen.now, seen.zone)


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
