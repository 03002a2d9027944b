"""The callback of a case: one at a time, to repair it or to ask whether it is solved, and how it came out.

`care_case.callback` says what the callback under way is for; it is emptied when that has ended, and how is sure: where
somebody was reached, its agent may say otherwise for ten minutes (`reservations.told`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Select, bindparam, select, update

from callback.care import cases
from callback.care.cases import Case, NoSuchCase
from callback.reservations import follow_up, moves, successor
from callback.reservations.follow_up import FollowUp, NotToBeCalled
from callback.reservations.reservation import RESERVATIONS, Reservation, read
from callback.reservations.reservation import read_one as read_reservation
from callback.reservations.told import STANDS, since
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import SERVICE
from scheduler.clock import MINUTE

Purpose = Literal["repair", "confirm"]
AT_ONCE: Final = 50
REACHED: Final = ("reached", "done-elsewhere")
"""The customer was spoken to: by our call, or by a person who did it by other means."""
WRONG_PERSON: Final = "wrong-person"
_APART: Final = "case/"
_C, _R = t.care_case.c, t.reservation.c
_ENDED: Final[Select[Any]] = (
    select(_C.id, _C.reservation_id)
    .join(t.reservation, _R.id == _C.reservation_id)
    .where(t.CALLBACK_UNDER_WAY, _C.pbx == bindparam("of_pbx"), STANDS | (~_C.open))
    .order_by(_C.id)
    .limit(AT_ONCE)
)


_MADE = (
    select(t.attempt.c.agent)
    .join(t.reservation, _R.id == t.attempt.c.reservation_id)
    .where(_R.pbx == bindparam("of_pbx"), _R.person_id == bindparam("of_person"), _R.apart == bindparam("is_apart"))
    .order_by(_R.id.desc())
    .limit(AT_ONCE)
)
_W = t.wrap_up.c
_LAST_WORD = (
    select(_W.outcome)
    .where(_W.person_id == bindparam("of_person"), _W.at >= bindparam("opened_at"), _W.outcome != "voicemail")
    .order_by(_W.at.desc())
    .limit(1)
)
_OPEN_ONES = (
    RESERVATIONS.where(t.OPEN, _R.pbx == bindparam("of_pbx"), _R.person_id == bindparam("of_person"))
    .where(_R.apart == bindparam("is_apart"))
    .order_by(_R.id)
)


@dataclass(frozen=True, slots=True)
class Ended:
    """A callback of a case that ended: what it was for, the state that it ended in, and since when."""

    case: Case
    purpose: Purpose
    reservation: int
    state: str
    at: int

    @property
    def reached(self) -> bool:
        """Whether the customer was spoken to."""
        return self.state in REACHED


def reserve(work: Work, case: Case, purpose: Purpose, by_at: int, queue: str = "", agent: str | None = None) -> bool:
    """Reserve the callback of a case, where none is under way; False where the customer may not be called.

    Of an agent only that phone is rung for `care.agent_wait_min` from when phones may ring, then any of the queue. In
    the queue of the case, unless another is named. What stands in the way is written down for people.
    """
    if is_wrong_person(work, case):
        cases.change(work, case.id, SERVICE, "not-called", WRONG_PERSON)
        return False
    if is_to_come(work, case):  # a time that the customer chose
        cases.change(work, case.id, SERVICE, "reserved", str(case.reservation_id), callback=purpose)
        return True
    wanted = FollowUp(
        person=case.person_id,
        queue=queue or case.queue,
        apart=_apart(case.id),
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


def is_wrong_person(work: Work, case: Case) -> bool:
    """Whether somebody else was found at this number since the case is open, and nobody the customer since.

    Then nobody there is called or texted by itself. A machine that answers tells nothing of that.
    """
    asked = {"of_person": case.person_id, "opened_at": case.opened_at}
    return work.connection.execute(_LAST_WORD, asked).scalar() == WRONG_PERSON


def is_to_come(work: Work, case: Case) -> bool:
    """Whether the callback of a case is still to be made."""
    row = None if case.reservation_id is None else read_reservation(work.connection, case.reservation_id)
    return row is not None and row.state in {"waiting", "held"}


def call_off(work: Work, case: Case) -> None:
    """Take back the callbacks of a case that have not been made; how one that is under way ends is seen.

    A time that the customer chose is kept while the case is open: it was promised on the telephone.
    """
    is_open = cases.read_one(work, case.id).open
    for row in read(work.connection, _OPEN_ONES, _names(work, case)):
        if row.state not in {"waiting", "held"} or (is_open and row.slot_at is not None and row.slot_at > work.now):
            continue
        moves.move(work, row.id, "withdrawn")
        if row.id == case.reservation_id:
            _set(work, case, callback="")


def _names(work: Work, case: Case) -> dict[str, object]:
    """By what the callbacks of a case are found."""
    return {"of_pbx": work.pbx, "of_person": case.person_id, "is_apart": _apart(case.id)}


def follow(work: Work, row: Reservation, goes_on: int) -> None:
    """Look after callback `goes_on` as the one of a case, where `row` was it.

    Where the case has gone on since, how that ends is written down alone: to ask is then the case's own affair.
    """
    case = case_of(work, row)
    if case is None:
        return
    if case.reservation_id == row.id:
        _set(work, case, reservation_id=goes_on, callback=case.callback or "confirm")
    elif case.reservation_id != goes_on and is_to_come(work, case):  # one at a time: a newer one is under way
        follows = read_reservation(work.connection, goes_on)
        if follows is not None and follows.open and follows.slot_at is None:
            moves.move(work, goes_on, "withdrawn")


def case_of(work: Work, row: Reservation) -> Case | None:
    """The case that a callback is for, locked."""
    name = row.apart.removeprefix(_APART)
    if row.kind != t.FOLLOW_UP or name == row.apart or not name.isdecimal():
        return None
    try:
        return cases.read_one(work, int(name), lock=True)
    except NoSuchCase:
        return None


def ended(work: Work) -> list[Ended]:
    """Take up those callbacks that ended: each is given once. One that goes on as another is followed instead."""
    asked = {"of_pbx": work.pbx, **since(work.now)}
    found = [_taken(work, row.id) for row in work.connection.execute(_ENDED, asked).all()]
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
    if row.open:
        return None  # of a case that ended, whose customer's phone may be ringing; or another one is followed since
    _set(work, case, callback="")
    return _of(case, row) if case.open else None


def _of(case: Case, row: Reservation) -> Ended:
    return Ended(case, case.callback or "repair", row.id, row.state, row.state_since_at)


def _set(work: Work, case: Case, **values: object) -> None:
    work.connection.execute(update(t.care_case).where(_C.id == case.id).values(values))


def _apart(case: int) -> str:
    """What keeps the callbacks of a case apart from others of the same person."""
    return f"{_APART}{case}"


def made_by(work: Work, case: Case, names: Collection[str]) -> bool:
    """Whether a callback of the case came to a phone of these names: who called may hear the word."""
    if case.reservation_id is None or not names:
        return False
    agents = work.connection.execute(_MADE, _names(work, case)).scalars()
    return not {one for one in agents if one}.isdisjoint(names)
