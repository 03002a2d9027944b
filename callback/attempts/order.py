"""Which side a callback rings first, the agent or the customer, and what the agent's phone shows."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, bindparam, select, update

from callback.reservations.reservation import Reservation
from callback.site.work import Work
from callback.store import tables as t
from scheduler.clock import SECOND
from scheduler.severity import MOST
from telephony.dialling.dialler import First

HOUR_MIN, DAY_H = 60, 24
_A, _R = t.attempt.c, t.reservation.c
_ANSWERED = select(_A.id).where(_A.id == bindparam("of_attempt"), _A.customer_answered_at.is_not(None)).exists()
_WORSE: Final = (  # made once, for it runs after each callback that found no agent
    update(t.reservation)
    .where(_R.id == bindparam("of_reservation"), _R.severity < MOST, _ANSWERED)
    .values(severity=_R.severity + 1)
)


def first(work: Work, row: Reservation) -> First:
    """Say which side is rung first: the customer only where the queue's rules ask for it, else the agent.

    A customer who answered a callback once and found no agent there is rung after an agent from then on.
    """
    if work.site.rules.queue(row.queue).first == "agent":
        return "agent"
    a = t.attempt.c
    in_vain = (a.reservation_id == row.id, a.outcome == "agent-no-answer", a.customer_answered_at.is_not(None))
    return "agent" if work.connection.execute(select(a.id).where(*in_vain).limit(1)).first() else "customer"


def agent_reads(row: Reservation, now: int) -> str:
    """The name on the agent's phone, beside the number: the kind of loss, how many losses, and how long ago the first.

    Like "CB silent x2 14min". It is short, because a phone shows some twenty letters.
    """
    times = f" x{row.losses}" if row.losses > 1 else ""
    return f"CB {row.kind}{times} {_for_how_long((now - row.made_at) // SECOND)}"


def raise_priority(connection: Connection, reservation: int, attempt: str) -> None:
    """Raise a reservation's severity by one degree, if its customer answered this attempt and no agent came."""
    connection.execute(_WORSE, {"of_attempt": attempt, "of_reservation": reservation})


def _for_how_long(seconds: int) -> str:
    minutes = max(0, seconds) // 60
    if minutes < HOUR_MIN:
        return f"{minutes}min"
    hours = minutes // HOUR_MIN
    return f"{hours}h" if hours < DAY_H else f"{hours // DAY_H}d"
