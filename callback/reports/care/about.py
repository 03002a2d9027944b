"""Whom a complaint is about: the customer of a callback, a text or a call, with the calls that it may be about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, bindparam, select

from callback.accounts.roles import Groups
from callback.reports import answers
from callback.reservations.reservation import RESERVATIONS, read
from callback.site.groups import is_of
from callback.site.work import Work
from callback.store import tables as t

CALLS: Final = 5
"""Calls of the customer that are offered: the newest."""
_C, _P, _R = t.call.c, t.person.c, t.reservation.c
_ONE = RESERVATIONS.where(_R.id == bindparam("of_reservation"), _R.pbx == bindparam("of_pbx"))
_CALL: Select[Any] = (
    select(_C.call_id, _C.started_at, _C.queue, _C.person_id, _P.number)
    .join(t.person, _P.id == _C.person_id)
    .where(_C.pbx == bindparam("of_pbx"))
)
_OF_PERSON = _CALL.where(_C.person_id == bindparam("of_person")).order_by(_C.started_at.desc()).limit(CALLS)
_OF_CALL = _CALL.where(_C.call_id == bindparam("of_call"))


@dataclass(frozen=True, slots=True)
class Spoken:
    """A call of the customer."""

    call_id: str
    at: int
    queue: str


@dataclass(frozen=True, slots=True)
class About:
    """A customer, the queue that served last, and what was written, where a text is judged."""

    person: int
    e164: str
    queue: str
    calls: Sequence[Spoken]
    body: str = ""


def of_reservation(work: Work, number: int, groups: Groups = None) -> About | None:
    """The customer of a callback; None where there is none of these groups."""
    rows = read(work.connection, _ONE, {"of_reservation": number, "of_pbx": work.pbx})
    if not rows or not (groups is None or rows[0].queue_group in groups):
        return None
    row = rows[0]
    return About(row.person_id, row.e164, row.queue, _calls(work, row.person_id, groups))


def of_answer(work: Work, answer: int, groups: Groups = None) -> About | None:
    """The customer who wrote a text that nobody has read; None where there is none, or it came from no number."""
    letter = answers.letter(work, answer, groups)
    if letter is None or not letter.open or letter.person is None or letter.number is None:
        return None
    queue = "" if letter.row is None else letter.row.queue
    return About(letter.person, letter.number, queue, _calls(work, letter.person, groups), letter.body)


def of_call(work: Work, call_id: str, groups: Groups = None) -> About | None:
    """The customer of a call, which stands first among the calls; None where it is another group's, or nobody's."""
    row = work.connection.execute(_OF_CALL, {"of_pbx": work.pbx, "of_call": call_id}).first()
    if row is None or not is_of(work.site, row.queue, groups):
        return None
    this = Spoken(row.call_id, row.started_at, row.queue or "")
    others = [one for one in _calls(work, row.person_id, groups) if one != this]
    return About(row.person_id, row.number, this.queue, (this, *others))


def _calls(work: Work, person: int, groups: Groups) -> tuple[Spoken, ...]:
    found = work.connection.execute(_OF_PERSON, {"of_pbx": work.pbx, "of_person": person})
    return tuple(
        Spoken(row.call_id, row.started_at, row.queue or "") for row in found if is_of(work.site, row.queue, groups)
    )
