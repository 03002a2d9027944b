"""The callback of a case: one at a time, to repair it or to ask whether it is solved, and how it came out.

`care_case.callback` says what the callback under way is for; it is emptied when somebody has seen how that ended.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Select, bindparam, select, update

from callback.care import cases
from callback.care.cases import Case
from callback.errors import IllegalTransition
from callback.reservations import follow_up, moves, successor
from callback.reservations.follow_up import FollowUp, NotToBeCalled
from callback.reservations.reservation import Reservation
from callback.reservations.reservation import read_one as read_reservation
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import SERVICE
from scheduler.clock import MINUTE

Purpose = Literal["repair", "confirm"]
AT_ONCE: Final = 50
REACHED: Final = ("reached", "done-elsewhere")
"""The customer was spoken to: by our call, or by a person who did it by other means."""
_C, _R = t.care_case.c, t.reservation.c
_ENDED: Final[Select[Any]] = (
    select(_C.id, _C.reservation_id)
    .join(t.reservation, _R.id == _C.reservation_id)
    .where(t.CALLBACK_UNDER_WAY, _C.pbx == bindparam("of_pbx"), (~_R.open) | (~_C.open))
    .order_by(_C.id)
    .limit(AT_ONCE)
)


_MADE = select(t.attempt.c.agent).where(
    t.attempt.c.pbx == bindparam("of_pbx"), t.attempt.c.reservation_id == bindparam("of_reservation")
)


@dataclass(frozen=True, slots=True)
class Ended:
    """A callback of a case that ended: what it was for, the state that it ended in, and with whom they talked."""

    case: Case
    purpose: Purpose
    reservation: int
    state: str

    @property
    def reached(self) -> bool:
        """Whether the customer was spoken to."""
        return self.state in REACHED


def reserve(work: Work, case: Case, purpose: Purpose, by_at: int, queue: str = "", agent: str | None = None) -> bool:
    """Reserve the callback of a case, where none is under way; False where the customer may not be called.

    Of an agent only that phone is rung for `care.agent_wait_min` from when phones may ring, then any of the queue. In
    the queue of the case, unless another is named. What stands in the way is written down for people.
    """
    wanted = FollowUp(
        person=case.person_id,
        queue=queue or case.queue,
        apart=f"case/{case.id}",
        by_at=by_at,
        agent=agent,
        agent_for_us=round(work.site.rules.care.agent_wait_min * MINUTE),
    )
    try:
        reservation = follow_up.reserve(work, wanted)
    except NotToBeCalled as error:
        cases.change(work, case.id, SERVICE, "not-called", error.why)
        return False
    cases.change(work, case.id, SERVICE, "reserved", str(reservation), reservation_id=reservation, callback=purpose)
    return True


def call_off(work: Work, case: Case) -> None:
    """Take back the callback under way of a case, if there is one that has not ended."""
    if not case.callback or case.reservation_id is None:
        return
    try:
        moves.move(work, case.reservation_id, "withdrawn")
    except IllegalTransition:
        return  # it is under way, or over: how it ended is seen
    work.connection.execute(update(t.care_case).where(_C.id == case.id).values(callback=""))


def follow(work: Work, case: Case, reservation: int, purpose: Purpose) -> None:
    """Look after this reservation as the callback of a case: how it ends, or has ended, is seen once more."""
    _set(work, case, reservation_id=reservation, callback=purpose)


def ended(work: Work) -> list[Ended]:
    """Take up those callbacks that ended: each is given once. One that goes on as another is followed instead."""
    found = [_taken(work, row.id) for row in work.connection.execute(_ENDED, {"of_pbx": work.pbx}).all()]
    return [one for one in found if one is not None]


def _taken(work: Work, number: int) -> Ended | None:
    case = cases.read_one(work, number, lock=True)
    row = None if case.reservation_id is None else read_reservation(work.connection, case.reservation_id)
    if not case.callback or row is None:
        return None
    if not case.open:
        call_off(work, case)
    going_on = successor.owed(work.connection, row)
    if case.open and going_on.id != row.id:
        _set(work, case, reservation_id=going_on.id)
        return None
    if row.open and not case.open:
        return None  # the customer's phone may be ringing
    _set(work, case, callback="")
    return _of(case, row) if case.open else None


def _of(case: Case, row: Reservation) -> Ended:
    return Ended(case, case.callback or "repair", row.id, row.state)


def _set(work: Work, case: Case, **values: object) -> None:
    work.connection.execute(update(t.care_case).where(_C.id == case.id).values(values))


def made_by(work: Work, reservation: int | None, names: Collection[str]) -> bool:
    """Whether the callback under way, or the last one, came to a phone of these names: who called may hear the word."""
    if reservation is None or not names:
        return False
    agents = work.connection.execute(_MADE, {"of_pbx": work.pbx, "of_reservation": reservation}).scalars()
    return not {one for one in agents if one}.isdisjoint(names)
