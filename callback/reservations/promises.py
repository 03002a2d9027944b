"""The promises of a reservation: each one stands in its own row, and the reservation holds the one in force."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select

from callback.reservations import times
from callback.reservations.reservation import Reservation
from callback.site.work import Work
from callback.store import tables as t
from scheduler.promise import APOLOGY, Promise

_P = t.promise.c
# Made once: to build a statement costs several times what it costs to run it, and these run for each call.
_MADE = select(func.count()).select_from(t.promise).where(_P.reservation_id == bindparam("reservation"))
_NEW = insert(t.promise)
_OF_NUMBER = select(_P.made_at, _P.clock_starts_at, _P.aim_at, _P.deadline_at, _P.reason).where(
    _P.reservation_id == bindparam("reservation"), _P.number == bindparam("of_number")
)


def first(work: Work, reservation: int, pledge: Promise) -> None:
    """Write down the promise that a new reservation was made with (`times.of_new`)."""
    _write(work, reservation, 1, pledge)


def add(work: Work, reservation: int, pledge: Promise) -> None:
    """Add a promise; the earlier ones stay as they were. It is in force from now on, and no apology is any more.

    An apology itself leaves in force what it excuses: whose promise was broken is called after those whose promise can
    still be kept, and counts as broken. What was told last, and holds, is then the apology (`Reservation.told_by_at`).
    """
    number = work.connection.execute(_MADE, {"reservation": reservation}).scalar_one() + 1
    _write(work, reservation, number, pledge)
    if pledge.reason == APOLOGY:
        times.change(work.connection, reservation, overdue_by_at=pledge.deadline_at)
        return
    in_force = {"promise_number": number, "overdue_by_at": None, **times.of_promise(pledge)}
    times.change(work.connection, reservation, **in_force)


def void_apology(work: Work, reservation: int) -> None:
    """The time that an apology told holds no more, because somebody decided otherwise: the next tick tells another."""
    times.change(work.connection, reservation, overdue_by_at=None)


def in_force(connection: Connection, row: Reservation | Row[Any]) -> Promise:
    """The promise of a reservation that is in force."""
    return Promise(*connection.execute(_OF_NUMBER, {"reservation": row.id, "of_number": row.promise_number}).one())


def _write(work: Work, reservation: int, number: int, pledge: Promise) -> None:
    row = {"reservation_id": reservation, "number": number, "pbx": work.pbx, "rules_version": work.site.version}
    work.connection.execute(
        _NEW, row | {"made_at": pledge.made_at, "reason": pledge.reason, **times.of_promise(pledge)}
    )
