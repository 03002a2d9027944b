"""Alarms before promises break: each raised once, told again when it changes much, and told when it is over."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from callback.events import News
from callback.site.context import Shift
from callback.store import tables as t
from scheduler import promise_forecast
from scheduler.clock import HOUR, MINUTE
from scheduler.policy import QueueLoad
from scheduler.promise_forecast import Crew, Due, PromiseForecast

AHEAD: Final = 2 * HOUR  # nobody knows who works later
MOST: Final = 2000  # reservations that are looked at: where more are open, the alarm has long been raised
OVER_AFTER: Final = 2 * MINUTE  # without cause: one agent more or less for a moment tells nobody anything
USUAL_S: Final = 240.0
"""What a callback takes where too few calls were seen to tell."""

_R, _A = t.reservation.c, t.alarm.c
# Made once: asked again and again.
_AHEAD = (
    select(_R.id, _R.queue, _R.queue_group, _R.due_at, _R.clock_starts_at, _R.deadline_at, t.person.c.number)
    .join(t.person)
    .where(t.OPEN, _R.pbx == bindparam("of_pbx"), _R.state == "waiting", _R.aim_at <= bindparam("until"))
    .where(_R.deadline_at > bindparam("after"), _R.deadline_at <= bindparam("until"))
    .order_by(_R.aim_at)
    .limit(MOST)
)


Phones = Mapping[str, Collection[str]]
"""Of those who are at work, by queue."""


def crews(at_work: Phones, loads: Mapping[str, QueueLoad], shift: Shift) -> dict[str, Crew]:
    """Who can make callbacks, by group of queues: an agent in three queues of a group is one agent.

    Beside live callers, where the load is known; else all who are at work.
    """
    groups: dict[str, list[str]] = {}
    for queue in at_work:
        groups.setdefault(shift.rules.queue(queue).group, []).append(queue)
    return {group: _crew(at_work, queues, loads, shift) for group, queues in groups.items()}


def _crew(at_work: Phones, queues: list[str], loads: Mapping[str, QueueLoad], shift: Shift) -> Crew:
    there = {phone for queue in queues for phone in at_work[queue]}
    known = {load.pool or queue: load for queue in queues if (load := loads.get(queue))}.values()
    handle_s = max((load.handle_s for load in known), default=USUAL_S) + shift.rules.ring_s
    return Crew(len(there) - sum(load.calls_s * load.handle_s for load in known), handle_s)


def owed(connection: Connection, shift: Shift, now: int) -> list[Row[Any]]:
    """Those to whom a call is owed now, as far ahead as anything can be said of it.

    Nobody is, while nobody may be called: who works later is not there yet.
    """
    if not shift.hours.may_ring(now):
        return []
    rows: Iterable[Row[Any]] = connection.execute(_AHEAD, {"of_pbx": shift.pbx, "after": now, "until": now + AHEAD})
    return [row for row in rows if shift.may_call(row.queue, row.number)]


def dues(rows: Iterable[Row[Any]]) -> dict[str, list[Due]]:
    """What is owed to them, by group of queues."""
    found: dict[str, list[Due]] = {}
    for row in rows:
        due = Due(max(row.due_at, row.clock_starts_at), row.deadline_at, row.id)
        found.setdefault(row.queue_group, []).append(due)
    return found


def forecasts(connection: Connection, shift: Shift, crews: Mapping[str, Crew], now: int) -> dict[str, PromiseForecast]:
    """How it will go in each group of queues with what is owed now; a group without an agent has a crew of nobody."""
    groups = dues(owed(connection, shift, now))
    return {
        group: promise_forecast.forecast(due, crews.get(group, nobody(shift)), now) for group, due in groups.items()
    }


def nobody(shift: Shift) -> Crew:
    """The crew of a group in which nobody works."""
    return Crew(0, USUAL_S + shift.rules.ring_s)


def tell(connection: Connection, shift: Shift, seen: Mapping[str, PromiseForecast], now: int) -> list[News]:
    """Raise what is new, tell what has changed much, and end what has had no cause for a while."""
    standing = {row.queue_group: row for row in connection.execute(select(t.alarm).where(_A.pbx == shift.pbx)).all()}
    told: list[News] = []
    for group, one in seen.items():
        if one.missed > 0:
            told += _raised(connection, shift, group, one, standing.pop(group, None), now)
    for group, row in standing.items():
        if now - row.seen_at >= OVER_AFTER:
            connection.execute(delete(t.alarm).where(_A.pbx == shift.pbx, _A.queue_group == group))
            told.append(News("alarm-over", now, {"group": group, "raised_at": row.raised_at}))
    return told


def _raised(
    connection: Connection, shift: Shift, group: str, seen: PromiseForecast, standing: Row[Any] | None, now: int
) -> list[News]:
    if standing is None:
        row = {"pbx": shift.pbx, "queue_group": group, "raised_at": now, "seen_at": now, "told": asdict(seen)}
        connection.execute(insert(t.alarm).values(**row))
        return [_news(group, seen, now, again=False)]
    changed = promise_forecast.changed(PromiseForecast(**standing.told), seen)
    values = {"seen_at": now} | ({"told": asdict(seen)} if changed else {})
    connection.execute(update(t.alarm).where(_A.pbx == shift.pbx, _A.queue_group == group).values(**values))
    return [_news(group, seen, now, again=True)] if changed else []


def _news(group: str, seen: PromiseForecast, now: int, *, again: bool) -> News:
    return News("alarm", now, {"group": group, **asdict(seen), "again": again})
