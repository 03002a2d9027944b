"""The promises of a reservation: each one stands in its own row, and the reservation holds the one in force."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from callback.reservations.reservation import Reservation
from callback.site.work import Work
from callback.store import tables as t
from scheduler.promise import Promise

_P = t.promise.c
# Made once: to build a statement costs several times what it costs to run it, and these run for each call.
_MADE = select(func.count()).select_from(t.promise).where(_P.reservation_id == bindparam("reservation"))
_NEW = insert(t.promise)
_NEWEST = select(_P.reason).where(_P.reservation_id == bindparam("reservation")).order_by(_P.number.desc()).limit(1)


def add(work: Work, reservation: int, pledge: Promise) -> None:
    """Add a promise to a reservation; the earlier ones stay as they were."""
    made = work.connection.execute(_MADE, {"reservation": reservation}).scalar_one()
    row = {"reservation_id": reservation, "number": made + 1, "pbx": work.pbx, "rules_version": work.site.version}
    work.connection.execute(_NEW, row | {"made_at": pledge.made_at, "reason": pledge.reason, **clock_of(pledge)})


def in_force(connection: Connection, row: Reservation | Row[Any]) -> Promise:
    """The promise of a reservation that is in force."""
    reason = connection.execute(_NEWEST, {"reservation": row.id}).scalar_one()
    return Promise(row.made_at, row.clock_starts_at, row.aim_at, row.deadline_at, reason)


def replace(work: Work, row: Reservation | Row[Any], pledge: Promise) -> None:
    """Put another promise in force, and no new time of an apology: never sooner than the last attempt allows."""
    add(work, row.id, pledge)
    values = {**clock_of(pledge), "due_at": max(row.due_at, pledge.clock_starts_at), "overdue_by_at": None}
    work.connection.execute(update(t.reservation).where(t.reservation.c.id == row.id).values(**values))


def clock_of(pledge: Promise) -> dict[str, int]:
    """Its times, as the columns have them."""
    times = {"clock_starts_at": pledge.clock_starts_at, "aim_at": pledge.aim_at}
    return {**times, "deadline_at": pledge.deadline_at}
