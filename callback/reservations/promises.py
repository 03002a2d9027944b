"""The promises of a reservation: each one stands in its own row, and the reservation holds the one in force."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select

from callback.reservations import times
from callback.site.work import Work
from callback.store import tables as t
from scheduler.promise import APOLOGY, CARRIED_OVER, Promise

_P, _R = t.promise.c, t.reservation.c
# Made once: to build a statement costs several times what it costs to run it, and these run for each call.
_MADE = select(func.count()).select_from(t.promise).where(_P.reservation_id == bindparam("reservation"))
_MADE_OF_ALL = (
    select(_P.reservation_id, func.count())
    .where(_P.reservation_id.in_(bindparam("reservations", expanding=True)))
    .group_by(_P.reservation_id)
)
_STRIKE_OUT = delete(t.promise).where(_P.reservation_id == bindparam("reservation"), _P.number > bindparam("after"))
_NEW = insert(t.promise)
_IN_FORCE = (
    select(_P.made_at, _P.clock_starts_at, _P.aim_at, _P.deadline_at, _P.reason)
    .where(_P.reservation_id == bindparam("reservation"), _P.reason != APOLOGY)
    .order_by(_P.number.desc())
    .limit(1)
)
_CARRIED_OVER = (
    select(_P.number)
    .where(_P.reservation_id == bindparam("reservation"), _P.number > 1, _P.reason == CARRIED_OVER)
    .limit(1)
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


def in_force(connection: Connection, reservation: int) -> Promise:
    """The promise of a reservation that is in force: the newest, but for apologies. So `promise_number` says, too."""
    return Promise(*connection.execute(_IN_FORCE, {"reservation": reservation}).one())


def made(connection: Connection, reservations: Collection[int]) -> dict[int, int]:
    """How many promises each of these reservations was given."""
    made = dict.fromkeys(reservations, 0)
    for reservation, promises in connection.execute(_MADE_OF_ALL, {"reservations": list(reservations)}):
        made[reservation] = promises
    return made


def strike_out(work: Work, reservation: int, after: int) -> None:
    """Remove the promises behind the first `after`: made by an act that is undone before anybody was told of them."""
    work.connection.execute(_STRIKE_OUT, {"reservation": reservation, "after": after})


def was_carried_over(connection: Connection, reservation: int) -> bool:
    """Whether a promise of the reservation was broken at the end of a day before, and made anew for the next one."""
    return connection.execute(_CARRIED_OVER, {"reservation": reservation}).first() is not None


def adopt(work: Work) -> None:
    """Take in what a process of an older version wrote into open reservations after the schema was changed.

    It made promises without numbering the one in force, and what it wrote in `due_at` stands: it knew no other reason.
    """
    newest = select(func.max(_P.number)).where(_P.reservation_id == _R.id, _P.reason != APOLOGY).scalar_subquery()
    theirs = select(_R.id, _R.due_at, newest.label("in_force")).where(t.OPEN, _R.pbx == work.pbx)
    theirs = theirs.where(or_(_R.due_at != _R.not_before_at, _R.promise_number != newest)).order_by(_R.id)
    for row in work.connection.execute(theirs.with_for_update(of=t.reservation)).all():
        waits = times.NO_WAIT | {"retry_at": row.due_at if row.due_at > work.now else None}
        times.change(work.connection, row.id, promise_number=row.in_force, **waits)


def _write(work: Work, reservation: int, number: int, pledge: Promise) -> None:
    row = {"reservation_id": reservation, "number": number, "pbx": work.pbx, "rules_version": work.site.version}
    work.connection.execute(
        _NEW, row | {"made_at": pledge.made_at, "reason": pledge.reason, **times.of_promise(pledge)}
    )
