"""A promise that was broken: one apology with a new time, a last try by then, and then it is for people."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, bindparam, select, update

from callback import settle, wording
from callback.news import News
from callback.shift import Shift
from callback.store import tables as t
from scheduler.clock import MINUTE, SECOND
from scheduler.hours import Hours

LEAST_US: Final = 600 * SECOND
"""The new time leaves so much for a last try; with less before the cut none is told: he is carried over then."""

_R = t.reservation.c
_TOLD = update(t.reservation).where(_R.id == bindparam("of_reservation")).values(overdue_by_at=bindparam("by_at"))


def go_on(connection: Connection, shift: Shift, row: Row[Any], hours: Hours, now: int) -> list[News]:
    """Do what a broken promise asks for while phones may ring: apologise once, and close it when that passed too.

    His deadline stays as it was: he is called after those whose promise can still be kept. Nor is he called sooner than
    his last attempt, or a person, allows: the new time lies after that.
    """
    if row.overdue_by_at is not None and row.overdue_by_at <= now:
        return [expire(connection, row, now, "not-reached-after-the-apology")]
    later_at = max(now + round(shift.rules.overdue_min * MINUTE), row.due_at + LEAST_US)
    by_at = min(later_at, hours.cut(now) or now)
    if row.overdue_by_at is not None or by_at - max(now, row.due_at) < LEAST_US:
        return []
    connection.execute(_TOLD, {"of_reservation": row.id, "by_at": by_at})
    text = wording.apologise(connection, shift, row.id, by_at, now)
    facts = {"reservation": row.id, "number": row.e164, "queue": row.queue, "by_at": by_at, "text": text}
    return [News("overdue", now, facts)]


def expire(connection: Connection, row: Row[Any], now: int, why: str) -> News:
    """Leave it to people."""
    settle.move(connection, row.id, "expired", now)
    wording.withdraw(connection, row.id, why, now)
    return News("expired", now, {"reservation": row.id, "number": row.e164, "queue": row.queue, "why": why})


def left_to_people(connection: Connection, pbx: str, limit: int, *of: ColumnElement[bool]) -> list[Row[Any]]:
    """Reservations that were closed without having been kept, of those wanted, the newest first."""
    columns = select(t.reservation, t.person.c.number.label("e164")).join(t.person)
    left = columns.where(_R.pbx == pbx, t.LEFT_TO_PEOPLE, *of).order_by(_R.state_since_at.desc())
    return list(connection.execute(left.limit(limit)))
