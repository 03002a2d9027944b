"""The last check before a claim, with the reservation locked: whether this customer's own phone may ring now."""

from __future__ import annotations

from sqlalchemy import bindparam, select

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

_A = t.attempt.c
# Made once, for it runs at each claim
_RINGS = select(_A.claimed_at).where(
    _A.person_id == bindparam("person"), _A.claimed_at > bindparam("since"), _A.customer_dialled_at.is_not(None)
)


def may_ring(work: Work, row: Reservation) -> bool:
    """Whether the customer's phone may ring now; else the reservation is put off until it may, or closed.

    Rules may have changed since it was said when the reservation is due.
    """
    if blocks.blocked(work.connection, row.e164).calls:
        moves.move(work, row.id, "barred")
        compose.withdraw(work, row.id, "the number is blocked")
        work.tell(Cancelled(row.id, "number-blocked"))
        return False
    again_at = _again_at(work, row)
    if again_at is not None:
        times.change(work.connection, row.id, quiet_until_at=again_at)
    return again_at is None


def _again_at(work: Work, row: Reservation) -> int | None:
    """When the phone may ring, if not now: out of quiet hours, not too often a day, not before a chosen time."""
    hours, often = work.site.hours_of(row.e164, row.trunk), work.site.rules.rings_a_day
    cut = hours.ring_until(work.now)
    if cut is None or cut - work.now < SHORTEST_RING_US:
        return hours.next_opening(work.now if cut is None else cut)
    if not hours.may_ring(work.now - CLOCK_OFF_US):
        return hours.next_opening(work.now - CLOCK_OFF_US) + CLOCK_OFF_US
    if row.slot_at is not None and row.slot_at > work.now and _sooner_is_over(work, row, hours):
        return row.slot_at
    claims = sorted(work.connection.execute(_RINGS, {"person": row.person_id, "since": work.now - DAY}).scalars())
    return hours.next_opening(claims[-often] + DAY) if len(claims) >= often else None


def _sooner_is_over(work: Work, row: Reservation, hours: Hours) -> bool:
    """Whether a person wanted to try before the time that the customer chose, and the phone's day ended since."""
    pledge = promises.in_force(work.connection, row.id)
    return pledge.reason == TRIED_SOONER and hours.stretch(pledge.made_at)[1] <= work.now
