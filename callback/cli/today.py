"""`callback today`: whether the day leaves its forecast, which promises break when, and what helps now."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict
from typing import Annotated, Any

import typer

from callback.cli.options import DEFAULT, SettingsFile, looking
from callback.cli.tables import terminal
from callback.cli.tables import today as today_tables
from callback.reports import advice
from callback.reports import today as days
from callback.reports.advice import KeptAdvice
from callback.reports.breaking import Breaking
from callback.reports.today import Course, Today
from callback.settings.sections import load
from callback.store import schema
from callback.store.keys import store_of
from scheduler.staffing.halfhours import clock_time
from scheduler.staffing.planning.intraday import DayDeviation

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object, in the last line.")]
Record = Annotated[bool, typer.Option("--record", help="Keep the advice; later it is held against what came of it.")]


def today(settings: SettingsFile = DEFAULT, *, as_json: AsJson = False, record: Record = False) -> None:
    """Say whether today leaves its forecast, which promises will break and when, and what helps now.

    The forecast rests on the database: calls that the service heard, and logs that were imported. Of help are agents
    of other queues of the same group, and only then more agents.

    Example: callback today --record
    """
    wiring = load(settings)
    with closing(store_of(wiring.database)) as store:
        with looking(store, wiring):
            pass  # an empty database is said to be one, and is not migrated
        schema.migrate(store)
        with looking(store, wiring) as work:
            seen = days.look(work)
        with store.write() as connection:
            advice.settle(connection, seen)
            if record:
                advice.record(connection, seen)
            kept = advice.kept(connection, seen, advice.SHOWN)
    if as_json:
        terminal.put_json(_as_json(seen, kept))
    else:
        today_tables.put(seen, kept)


def _as_json(seen: Today, kept: Iterable[KeptAdvice]) -> dict[str, Any]:
    return {
        "now": seen.now,
        "zone": seen.zone.key,
        "day": seen.day.isoformat(),
        "until": clock_time(len(seen.passed)),
        "closed": seen.closed,
        "not_called_because": seen.stopped,
        "came": seen.came,
        "courses": [_course_json(one) for one in seen.courses],
        "promises": {group: _breaking_json(one) for group, one in seen.breaking.items()},
        "broken": [owed.as_json() for owed in seen.standing.broken],
        "held": [owed.as_json() for owed in seen.standing.held],
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
        "kept": [one.as_json() for one in kept],
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


def _tally_json(tally: DayDeviation) -> dict[str, Any]:
    told = asdict(tally) | {"came": round(tally.came, 2), "expected": round(tally.expected, 2)}
    return told | {"leaves": tally.leaves}


def _breaking_json(one: Breaking) -> dict[str, Any]:
    breaks = [
        {"reservation": owed.reservation, "number": owed.number, "queue": owed.queue, "deadline_at": owed.deadline_at}
        for owed in one.owed
    ]
    return asdict(one.forecast) | {"breaks": breaks}
