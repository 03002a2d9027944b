"""A promise that was broken: one apology with a new time, a last try by then, and then it is for people."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Row, or_, select

from callback.events import CarriedOver, Expired, Overdue
from callback.reservations import moves, promises
from callback.reservations.reservation import Reservation
from callback.site.context import Site
from callback.site.work import Work
from callback.store import tables as t
from callback.texts import compose
from scheduler.clock import MINUTE, SECOND
from scheduler.errors import SchedulerError
from scheduler.hours import Hours
from scheduler.promise import CARRIED_OVER, Promise, apology, carry
from scheduler.severity import NOW

LEAST_US: Final = 600 * SECOND
"""The new time leaves so much for a last try; with less before the cut none is told: he is carried over then."""

_R = t.reservation.c
_OPEN = select(t.reservation, t.person.c.number.label("e164")).join(t.person).where(t.OPEN)
AT_ONCE: Final = 50  # broken promises looked after in one transaction


def check(work: Work) -> None:
    """Do what broken promises ask for; at the evening cut, promise anew, for the next opening, what is still open.

    That is done once. What is still open at another cut expires and is for people, and so does at its deadline what
    was only watched: to switch calls on is no reason to ring those who were lost while they were off.
    """
    for row in passed(work.connection, work.pbx, work.now):
        _broken(work, row)


def _broken(work: Work, row: Row[Any]) -> None:
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
    elif row.carried and row.not_before_at <= carried.deadline_at and not just_let_go(row, work.now):
        expire(work, row, "not-reached-after-carrying-over")  # unless a person put it off beyond the new time too
    else:
        carry_over(work, row, carried)


def passed(connection: Connection, pbx: str, now: int) -> list[Row[Any]]:
    """Open reservations whose promise has passed, the oldest first and locked; `carried`: an evening has passed too.

    Who was told a new time is left alone until that, and whom somebody else has locked until the next look.
    """
    p = t.promise.c
    second = select(p.number).where(p.reservation_id == _R.id, p.number > 1, p.reason == CARRIED_OVER)
    waiting = _OPEN.where(_R.pbx == pbx, _R.state == "waiting")
    late = waiting.add_columns(second.exists().label("carried")).where(_R.deadline_at <= now)
    late = late.where(or_(_R.overdue_by_at.is_(None), _R.overdue_by_at <= now)).order_by(_R.aim_at).limit(AT_ONCE)
    return list(connection.execute(late.with_for_update(of=t.reservation, skip_locked=True)))


def go_on(work: Work, row: Row[Any], hours: Hours) -> None:
    """Do what a broken promise asks for while phones may ring: apologise once, and close it when that passed too.

    His deadline stays as it was: he is called after those whose promise can still be kept. Nor is he called sooner than
    his last attempt, or a person, allows: the new time lies after that.
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
    work.tell(Overdue(row.id, row.queue, by_at, text))


def give_time(work: Work, row: Reservation | Row[Any]) -> None:
    """Whom somebody lets be called again is not given up at once for a promise that was broken meanwhile.

    In the evening such a customer is promised the next opening. With less than a last try takes before the new time
    that was told, none stands any more: the next tick tells another.
    """
    if row.deadline_at > work.now:
        return
    try:
        carried = carried_from(row, work.site, work.now)
    except SchedulerError:  # no phone may ever ring: that is told by the next tick
        return
    if carried is not None:
        carry_over(work, row, carried)
    elif row.overdue_by_at is not None and row.overdue_by_at - work.now < LEAST_US:
        promises.void_apology(work, row.id)


def just_let_go(row: Row[Any], now: int) -> bool:
    """Whether somebody was let be called again with less than a last try takes before this, or is to be called now."""
    return bool(row.severity >= NOW or now - row.state_since_at < LEAST_US)


def carried_from(row: Reservation | Row[Any], site: Site, now: int) -> Promise | None:
    """The promise of the next opening for what is still open at a cut; None while phones may ring."""
    standing = Promise(row.made_at, row.clock_starts_at, row.aim_at, row.deadline_at, "")
    carried = carry(standing, site.hours_of(row.e164, row.trunk), now, site.rules.promise_terms())
    return None if carried is standing else carried


def carry_over(work: Work, row: Reservation | Row[Any], carried: Promise) -> None:
    """Promise the next opening, and say so, unless a person has put the callback off beyond it."""
    promises.add(work, row.id, carried)
    if row.not_before_at <= carried.deadline_at:
        compose.apologise(work, row.id, carried.deadline_at)
    work.tell(CarriedOver(row.id, carried.clock_starts_at, carried.deadline_at))


def expire(work: Work, row: Row[Any], why: str) -> None:
    """Leave it to people."""
    moves.move(work, row.id, "expired")
    compose.withdraw(work, row.id, why)
    work.tell(Expired(row.id, row.queue, why))
