"""`callback today`: whether the day leaves its forecast, which promises break when, and what helps now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from itertools import groupby
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import Row

from callback import advice, terminal
from callback import today as days
from callback.cli_parts import DEFAULT, SettingsFile
from callback.machine import now_us
from callback.report_text import show
from callback.settings import load
from callback.shift import current
from callback.store import schema
from callback.store.engine import Store
from callback.today import Breaking, Course, Today
from scheduler.clock import local
from scheduler.staffing.halfhours import clock_time, half_hour
from scheduler.staffing.today import SURE, Tally

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object, in the last line.")]
Record = Annotated[bool, typer.Option("--record", help="Keep the advice; later it is held against what came of it.")]
_MOST = 5  # promises of a half hour that are named


def today(settings: SettingsFile = DEFAULT, *, as_json: AsJson = False, record: Record = False) -> None:
    """Say whether today leaves its forecast, which promises will break and when, and what helps now.

    The forecast rests on the database: calls that the service heard, and logs that were imported. Of help are agents
    of other queues of the same group, and only then more agents.

    Example: callback today --record
    """
    wiring, now = load(settings), now_us()
    with closing(Store(wiring.database.url)) as store:
        with store.read() as connection:
            current(connection, wiring)  # an empty database is said to be one
        schema.migrate(store)
        with store.read() as connection:
            seen = days.look(connection, wiring, now)
        with store.write() as connection:
            advice.settle(connection, seen)
            if record:
                advice.record(connection, seen)
            kept = advice.kept(connection, seen, advice.SHOWN)
    if as_json:
        terminal.put_json(_as_json(seen, kept))
    else:
        _show(Console(), seen, kept)


def _show(console: Console, seen: Today, kept: Sequence[Row[Any]]) -> None:
    courses = seen.courses
    until = clock_time(len(seen.passed))
    show(console, [f"{local(seen.now, seen.zone):%a %d %b, %H:%M} ({seen.zone.key})"])
    show(console, _courses_said(courses), f"Against the forecast, until {until}")
    if courses and courses[0].half_hours:
        terminal.put(_half_hours(courses[0]))
    if seen.at_work is None:
        show(console, ["the service is not running, or not connected: nobody knows who is there"], "What helps now")
    else:
        show(console, _promises_said(seen) or ["none"], "Promises that will break if nothing is done")
        lines = [f"{one.said(seen.half_hour)} ({advice.why(seen, one)})" for one in seen.advice]
        nobody = "nobody is missing" if seen.needed else "nobody knows who is needed"
        show(console, lines or [nobody], "What helps now")
    if kept:
        show(console, (_kept_said(seen, row) for row in kept), "What came of advice")


def _courses_said(courses: Sequence[Course]) -> Iterator[str]:
    if not courses:
        yield "no call is known from before today: import a log, or wait a day"
    for one in courses:
        calls, losses = _said(one.calls, "calls"), _said(one.losses, "lost")
        yield f"{one.queue or 'all'}: {calls}; {losses} (mean of {one.days}: {one.basis})"
    if courses and (known := len(courses[0].half_hours)):
        chance = round((1 - SURE) * known)
        yield f"{courses[0].outside} of {known} half hours are outside of their band; chance alone puts {chance} there"


def _said(tally: Tally, what: str) -> str:
    leaves = f"{tally.leaves} than chance allows" if tally.leaves else "as expected"
    return f"{tally.came:.0f} {what}, {tally.low} to {tally.high} expected: {leaves}"


def _half_hours(course: Course) -> Table:
    heads = ("", "calls", "expected", "band", "lost", "expected", "band")
    rows = [
        (clock_time(number), *(cell for tally in tallies for cell in _cells(tally)))
        for number, tallies in course.half_hours.items()
    ]
    return terminal.table(heads, rows, figures=heads[1:])


def _cells(tally: Tally) -> tuple[Text, str, str]:
    came = terminal.styled(f"{tally.came:.0f}", "bold reverse" if tally.leaves else "")
    return came, f"{tally.expected:.1f}", f"{tally.low}-{tally.high}"


def _promises_said(seen: Today) -> list[str]:
    return [line for group, one in seen.breaking.items() if one.broken for line in _group_said(seen, group, one)]


def _group_said(seen: Today, group: str, one: Breaking) -> Iterator[str]:
    told = one.forecast
    agents = "agent" if told.more == 1 else "agents"
    more = (
        f"; {told.more} more {agents} until {_time(seen, told.until_at)} would hold {told.missed}" if told.more else ""
    )
    yield f"{group}: {len(one.broken)} of {told.due} will miss their time{more}"
    for number, group_of in groupby(one.broken, key=lambda due: half_hour(due.deadline_at, seen.zone)[1]):
        dues = list(group_of)
        named = ", ".join(f"#{due.reservation} at {_time(seen, due.deadline_at)}" for due in dues[:_MOST])
        rest = f" and {len(dues) - _MOST} more" if len(dues) > _MOST else ""
        yield f"  from {clock_time(number)}: {len(dues)}: {named}{rest}"


def _kept_said(seen: Today, row: Row[Any]) -> str:
    whose = f"{row.agents} from {row.from_queue}" if row.from_queue else f"{row.agents} more"
    begins = local(row.begins_at, seen.zone)
    said = f"{begins:%a %d %b %H:%M}-{_time(seen, row.until_at)} {row.queue}: {whose} ({row.why})"
    expected = f"expected {row.expected['losses']:.1f} lost, {row.expected['missed']} promises missed"
    if row.came_of is None:
        return f"{said}: {expected}"
    return f"{said}: {expected}; it came to {row.came_of['losses']:.0f} lost, {row.came_of['missed']} missed"


def _time(seen: Today, at: int) -> str:
    return f"{local(at, seen.zone):%H:%M}"


def _as_json(seen: Today, kept: Iterable[Row[Any]]) -> dict[str, Any]:
    return {
        "now": seen.now,
        "zone": seen.zone.key,
        "day": seen.day.isoformat(),
        "until": clock_time(len(seen.passed)),
        "courses": [_course_json(one) for one in seen.courses],
        "promises": {group: _breaking_json(one) for group, one in seen.breaking.items()},
        "at_work": None if seen.at_work is None else {queue: len(there) for queue, there in seen.at_work.items()},
        "needed": {
            queue: dict(zip(map(clock_time, seen.ahead), row, strict=True)) for queue, row in seen.needed.items()
        },
        "advice": [
            {
                "queue": one.queue,
                "from_queue": one.from_queue,
                "agents": one.agents,
                "first": clock_time(one.first),
                "until": clock_time(one.last + 1),
                "why": advice.why(seen, one),
            }
            for one in seen.advice
        ],
        "kept": [row._asdict() for row in kept],
    }


def _course_json(one: Course) -> dict[str, Any]:
    return {
        "queue": one.queue,
        "basis": one.basis,
        "days": one.days,
        "calls": _tally_json(one.calls),
        "losses": _tally_json(one.losses),
        "half_hours": [
            {"time": clock_time(number), "calls": _tally_json(calls), "losses": _tally_json(losses)}
            for number, (calls, losses) in one.half_hours.items()
        ],
    }


def _tally_json(tally: Tally) -> dict[str, Any]:
    told = asdict(tally) | {"came": round(tally.came, 2), "expected": round(tally.expected, 2)}
    return told | {"leaves": tally.leaves}


def _breaking_json(one: Breaking) -> dict[str, Any]:
    breaks = [{"reservation": due.reservation, "deadline_at": due.deadline_at} for due in one.broken]
    return asdict(one.forecast) | {"breaks": breaks}
