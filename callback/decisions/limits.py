"""How often a customer may decide anew about one reservation: as often as people do, by link and by text together."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, bindparam, case, func, select

from callback.reservations.reservation import Reservation
from callback.store import tables as t
from callback.store.audit import CUSTOMER
from scheduler.clock import DAY, HOUR
from scheduler.severity import NOW

AN_HOUR: Final = 10
A_DAY: Final = 30
_A = t.audit.c
_DECIDED = select(func.count(), func.sum(case((_A.at > bindparam("this_hour"), 1), else_=0))).where(
    _A.reservation_id == bindparam("of_reservation"), _A.who == CUSTOMER, _A.at > bindparam("today")
)


def enough(connection: Connection, reservation: int, now: int) -> bool:
    """Whether it was so often that a program must be at work: from then on only people decide."""
    asked = {"of_reservation": reservation, "this_hour": now - HOUR, "today": now - DAY}
    today, this_hour = connection.execute(_DECIDED, asked).one()
    return bool(today >= A_DAY or (this_hour or 0) >= AN_HOUR)


def is_next(row: Reservation, now: int) -> bool:
    """Whether the customer is to be called as soon as possible already: to ask for it again changes nothing.

    A chosen time that still stands, because a person only tried sooner, gives way to the customer's own word.
    """
    chosen = row.slot_at is not None and row.slot_at > now
    return bool(row.state == "waiting" and row.severity == NOW and row.not_before_at <= now and not chosen)
