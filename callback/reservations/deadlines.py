"""A promise that was broken: one apology with a new time, a last try by then, and then it is for people."""

from __future__ import annotations

from typing import Final, Literal

from sqlalchemy import Connection, or_

from callback.events import CarriedOver, Expired, Overdue
from callback.reservations import moves, promises
from callback.reservations.reservation import RESERVATIONS, Reservation, read
from callback.site.context import Site
from callback.site.work import Work
from callback.store import tables as t
from callback.texts import compose
from scheduler.clock import MINUTE, SECOND
from scheduler.errors import SchedulerError
from scheduler.hours import Hours
from scheduler.promise import Promise, apology, carry
from scheduler.severity import NOW

LEAST_US: Final = 600 * SECOND
"""The new time leaves so much for a last try; with less before the cut none is told, and it is carried over then."""

LeftWhy = Literal[
    "only-watched", "never-in-hours", "not-reached-after-carrying-over", "not-reached-after-the-apology",
    "wrong-person", "called-since-the-backup", "unknown-since-the-backup",
]  # fmt: skip
"""Why a reservation is left to people."""

_R = t.reservation.c
AT_ONCE: Final = 50  # broken promises looked after in one transaction


def check(work: Work) -> None:
    """Do what broken promises ask for; at the evening cut, promise anew, for the next opening, what is still open.

    That is done once. What is still open at another cut expires and is for people, and so does at its deadline what
    was only watched: to switch calls on is no reason to ring those who were lost while they were off.
    """
    for row in passed(work.connection, work.pbx, work.now):
        _broken(work, row)


def _broken(work: Work, row: Reservation) -> None:
    """Do what one broken promise asks for."""
    if not work.site.may_call(row.queue, row.e164):
        expire(work, row, "only-watched")
        return
    try:
        carried = carried_from(row, work.site, work.now)
    except SchedulerError:  # the rules are others by now, or the clocks where the customer is
        expire(work, row, "never-in-hours")
        return
    if carried is None:
        go_on(work, row, work.site.hours_of(row.e164, row.trunk))
    elif _put_off(row, carried, work.now) or just_let_go(row, work.now):
        carry_over(work, row, carried)
    elif promises.was_carried_over(work.connection, row.id):
        expire(work, row, "not-reached-after-carrying-over")
    else:
        carry_over(work, row, carried)


def _put_off(row: Reservation, carried: Promise, now: int) -> bool:
    """Whether the customer is still to be called at a time that a person said, or not before the new time either."""
    return row.not_before_at > carried.deadline_at or (row.put_off_until_at or 0) > now


def passed(connection: Connection, pbx: str, now: int) -> list[Reservation]:
    """Read, and lock, the waiting reservations whose promise has passed, those that were due first at the beginning.

    One whose customer was told a new time is left alone until that, and one that another process has locked until the
    next look. Those that may not be called yet come last: there may be nothing to do for many of them, and the others
    do not wait for that.
    """
    late = RESERVATIONS.where(t.OPEN, _R.pbx == pbx, _R.state == "waiting", _R.aim_at <= now, _R.deadline_at <= now)
    late = late.where(or_(_R.overdue_by_at.is_(None), _R.overdue_by_at <= now))
    late = late.order_by(_R.not_before_at > now, _R.aim_at).limit(AT_ONCE)
    return read(connection, late.with_for_update(of=t.reservation, skip_locked=True))


def go_on(work: Work, row: Reservation, hours: Hours) -> None:
    """Do what a broken promise asks for while phones may ring: apologise once, and close it when that passed too.

    The deadline stays as it was: this customer is called after those whose promise can still be kept, and no sooner
    than the last attempt, or a person, allows: the new time lies after that.
    """
    if row.overdue_by_at is not None and row.overdue_by_at <= work.now:
        expire(work, row, "not-reached-after-the-apology")
        return
    later_at = max(work.now + round(work.site.rules.overdue_min * MINUTE), row.not_before_at + LEAST_US)
    by_at = min(later_at, hours.cut(work.now) or work.now)
    if row.overdue_by_at is not None or by_at - max(work.now, row.not_before_at) < LEAST_US:
        return
    promises.add(work, row.id, apology(work.now, by_at))
    text = compose.apologise(work, row.id, by_at)
    if row.kind != t.FOLLOW_UP:  # no caller was let down
        work.tell(Overdue(row.id, row.queue, by_at, text))


def give_time(work: Work, row: Reservation) -> None:
    """Give a reservation that waits again time for a last try, though its promise was broken meanwhile.

    In the evening the next opening is promised. With less than a last try takes before the new time that was told,
    none stands any more: the next tick tells another.
    """
    if row.deadline_at > work.now:
        return
    try:
        carried = carried_from(row, work.site, work.now)
    except SchedulerError:  # no phone may ever ring: that is told by the next tick
        return
    if carried is not None:
        carry_over(work, row, carried)
    elif row.overdue_by_at is not None:
        void_what_comes_too_soon(work, row, work.now)


def void_what_comes_too_soon(work: Work, row: Reservation, not_before_at: int) -> None:
    """The time that was told, where it leaves no last try after this one, is said by no text that was not sent yet.

    An apology that told it holds no more: the next tick tells another time. A promise stays.
    """
    if row.told_by_at - not_before_at < LEAST_US:
        promises.void_apology(work, row.id)
        compose.withdraw(work, row.id, "its time holds no more")


def just_let_go(row: Reservation, now: int) -> bool:
    """Whether it has waited for less time than a last try takes, or a person wants it called now."""
    return row.severity >= NOW or now - row.state_since_at < LEAST_US


def carried_from(row: Reservation, site: Site, now: int) -> Promise | None:
    """The promise of the next opening for what is still open at a cut; None while phones may ring."""
    standing = Promise(row.made_at, row.clock_starts_at, row.aim_at, row.deadline_at, "")
    carried = carry(standing, site.hours_of(row.e164, row.trunk), now, site.rules.promise_terms())
    return None if carried is standing else carried


def carry_over(work: Work, row: Reservation, carried: Promise) -> None:
    """Promise the next opening, and say so, unless a person has put the callback off beyond it."""
    promises.add(work, row.id, carried)
    if row.not_before_at <= carried.deadline_at:
        compose.apologise(work, row.id, carried.deadline_at)
    work.tell(CarriedOver(row.id, carried.clock_starts_at, carried.deadline_at))


def expire(work: Work, row: Reservation, why: LeftWhy) -> None:
    """Leave a reservation to people: nobody is called by the service any more."""
    moves.move(work, row.id, "expired")
    compose.withdraw(work, row.id, why)
    work.tell(Expired(row.id, row.queue, why))
