"""The last check before a claim, with the reservation locked: whether this customer's own phone may ring now."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, false, func, select

from callback.clock import CLOCK_MAY_BE_OFF_S
from callback.customers import blocks
from callback.events import Cancelled
from callback.reservations import moves, promises, times
from callback.reservations.reservation import Reservation
from callback.site.work import Work
from callback.store import tables as t
from callback.texts import compose
from scheduler.clock import DAY, SECOND
from scheduler.hours import Hours
from scheduler.promise import TRIED_SOONER
from telephony.dialling.dialler import STOPS_WITHIN_S

SHORTEST_RING_US = (STOPS_WITHIN_S + 2) * SECOND  # before the quiet hours; less is no ring but a nuisance
CLOCK_OFF_US = round(CLOCK_MAY_BE_OFF_S * SECOND)  # so much too early the hours may seem to begin

_A, _R = t.attempt.c, t.reservation.c
_BEFORE = select(func.count()).where(_A.reservation_id == _R.id).scalar_subquery()
_RUNG = (
    select(_A.claimed_at)
    .where(_A.person_id == _R.person_id, _A.claimed_at > bindparam("since"), _A.customer_dialled_at.is_not(None))
    .order_by(_A.claimed_at.desc())
    .offset(bindparam("but"))
    .limit(1)
    .scalar_subquery()
)
_CALLED_NOW = select(_A.id).where(_A.person_id == _R.person_id, t.IN_FLIGHT).exists()
# Made once, for it runs at each claim. The person is locked too: another PBX may be about to call the same one.
_LOCK = (
    select(_BEFORE, func.coalesce(blocks.NOT_CALLED, false()), _RUNG)
    .select_from(t.reservation)
    .join(t.person)
    .where(_R.id == bindparam("of_reservation"), _R.state == "waiting", _R.not_before_at <= bindparam("now"))
    .where(~_CALLED_NOW)
    .with_for_update(of=(t.reservation, t.person), key_share=True, skip_locked=True)
)


@dataclass(frozen=True, slots=True)
class Locked:
    """A reservation that is locked and still due, with what the last check needs to know of it."""

    attempts: int  # so far
    blocked: bool
    rung_at: int | None  # the ring of the last day that must be over for a day: earlier ones do not count


def lock(work: Work, row: Reservation) -> Locked | None:
    """Lock a reservation that is still due, and its customer; None, without waiting, where somebody else has them.

    Somebody may have held or postponed it since it was looked at, and another PBX may call the same customer.
    """
    facts = {"of_reservation": row.id, "now": work.now, "since": work.now - DAY, "but": work.site.rules.rings_a_day - 1}
    found = work.connection.execute(_LOCK, facts | {"of_number": blocks.hashed(work.connection, row.e164)}).first()
    return None if found is None else Locked(*found)


def may_ring(work: Work, row: Reservation, locked: Locked) -> bool:
    """Whether the customer's phone may ring now; else the reservation is put off until it may, or closed.

    Rules may have changed since it was said when the reservation is due.
    """
    if locked.blocked or not blocks.is_number(row.e164):
        moves.move(work, row.id, "barred")
        compose.withdraw(work, row.id, "the number is blocked")
        work.tell(Cancelled(row.id, "number-blocked"))
        return False
    again_at = _again_at(work, row, locked)
    if again_at is not None:
        times.change(work.connection, row.id, quiet_until_at=again_at)
    return again_at is None


def _again_at(work: Work, row: Reservation, locked: Locked) -> int | None:
    """When the phone may ring, if not now: out of quiet hours, not too often a day, not before a chosen time."""
    hours = work.site.hours_of(row.e164, row.trunk)
    cut = hours.ring_until(work.now)
    if cut is None or cut - work.now < SHORTEST_RING_US:
        return hours.next_opening(work.now if cut is None else cut)
    if not hours.may_ring(work.now - CLOCK_OFF_US):
        return hours.next_opening(work.now - CLOCK_OFF_US) + CLOCK_OFF_US
    if row.slot_at is not None and row.slot_at > work.now and _sooner_is_over(work, row, hours):
        return row.slot_at
    return None if locked.rung_at is None else hours.next_opening(locked.rung_at + DAY)


def _sooner_is_over(work: Work, row: Reservation, hours: Hours) -> bool:
    """Whether a person wanted to try before the time that the customer chose, and the phone's day ended since."""
    pledge = promises.in_force(work.connection, row.id)
    return pledge.reason == TRIED_SOONER and hours.stretch(pledge.made_at)[1] <= work.now
