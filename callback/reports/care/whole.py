"""One case as a whole: its steps, and what stands behind it: the call, the text, the callback, letters, repeats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select

from callback.accounts.roles import Groups
from callback.care.cases import Case
from callback.care.states import TABLE
from callback.customers.persons import ERASED
from callback.reports.care import cases
from callback.reservations.reservation import RESERVATIONS, Reservation, read
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import SERVICE

MOST: Final = 200
"""Steps of a case that are told: the newest."""
_S, _L, _C, _R = t.care_step.c, t.care_letter.c, t.care_case.c, t.reservation.c
_STEPS = (
    select(_S.at, _S.who, _S.event, _S.state, _S.note)
    .where(_S.case_id == bindparam("of_case"))
    .order_by(_S.id.desc())
    .limit(MOST)
)
_LETTERS = (
    select(_L.department, _L.state, _L.tries, _L.created_at, _L.settled_at, _L.reason)
    .where(_L.case_id == bindparam("of_case"))
    .order_by(_L.id)
    .limit(MOST)
)
_Y = t.survey.c
_ASKED = (
    select(_Y.kind, _Y.asked_at, _Y.answered_at, _Y.score, _Y.agent)
    .where(_Y.pbx == bindparam("of_pbx"), (_Y.case_id == bindparam("of_case")) | (_Y.id == bindparam("of_survey")))
    .order_by(_Y.asked_at)
    .limit(MOST)
)
_A = t.call.c
_CALL = (
    select(_A.call_id, _A.started_at, _A.queue, t.loss.c.reservation_id)
    .select_from(t.call.outerjoin(t.loss, (t.loss.c.pbx == _A.pbx) & (t.loss.c.call_id == _A.call_id)))
    .where(_A.pbx == bindparam("of_pbx"), _A.call_id == bindparam("of_call"))
)
_LATER = select(_C.id).where(_C.repeat_of == bindparam("of_case"), _C.person_id == bindparam("of_person"))
_NEWEST = RESERVATIONS.where(_R.pbx == bindparam("of_pbx"), _R.person_id == bindparam("of_person"))
_NEWEST = _NEWEST.order_by(_R.id.desc()).limit(MOST)


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to a case: an event of its table, or a word for what changed beside it."""

    at: int
    who: str
    event: str
    state: str
    note: str

    @property
    def callback(self) -> int | None:
        """The callback that the service made, or whose talk was the repair."""
        ours = self.who == SERVICE and self.event in {"reserved", "answered"}
        return int(self.note) if ours and self.note.isdecimal() else None


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to a department about it."""

    department: str
    state: str
    tries: int
    created_at: int
    settled_at: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Question:
    """A question to the customer about a service, and the answer."""

    kind: str
    asked_at: int
    answered_at: int | None
    score: int | None
    agent: str | None


@dataclass(frozen=True, slots=True)
class CallBehind:
    """The call that a case is about; `reservation` is the callback that it led to, if it was lost."""

    call_id: str
    at: int
    queue: str | None
    reservation: int | None


@dataclass(frozen=True, slots=True)
class Whole:
    """A case with all that stands behind it. `named` is a reservation by which pages name the customer."""

    case: Case
    clock: cases.Clock
    steps: tuple[Step, ...]
    letters: tuple[Letter, ...]
    questions: tuple[Question, ...]
    call: CallBehind | None
    callback: Reservation | None
    repeated_by: int | None
    others: tuple[Case, ...]
    named: int | None

    @property
    def erased(self) -> bool:
        """Whether the customer is nobody any more."""
        return self.case.e164.startswith(ERASED)


def whole(work: Work, number: int, groups: Groups = None) -> Whole | None:
    """Read a case of these groups; None where there is none."""
    case = cases.one(work, number, groups)
    if case is None:
        return None
    rows = _of_groups(read(work.connection, _NEWEST, {"of_pbx": work.pbx, "of_person": case.person_id}), groups)
    of_case = {"of_case": case.id}
    survey = {**of_case, "of_pbx": work.pbx, "of_survey": case.survey_id}
    asked = {**of_case, "of_person": case.person_id}
    return Whole(
        case=case,
        clock=cases.clock_of(case, work.site.rules.care, work.now),
        steps=tuple(Step(*row) for row in work.connection.execute(_STEPS, of_case)),
        letters=tuple(Letter(*row) for row in work.connection.execute(_LETTERS, of_case)),
        questions=tuple(Question(*row) for row in work.connection.execute(_ASKED, survey)),
        call=_call(work, case),
        callback=next((row for row in rows if row.id == case.reservation_id), None),
        repeated_by=work.connection.execute(_LATER.limit(1), asked).scalar(),
        others=tuple(one for one in cases.of_person(work, case.person_id, groups) if one.id != case.id),
        named=rows[0].id if rows else None,
    )


def _call(work: Work, case: Case) -> CallBehind | None:
    if case.call_id is None:
        return None
    row: Any = work.connection.execute(_CALL, {"of_pbx": work.pbx, "of_call": case.call_id}).first()
    return CallBehind(case.call_id, case.opened_at, None, None) if row is None else CallBehind(*row)


def _of_groups(rows: list[Reservation], groups: Groups) -> list[Reservation]:
    return [row for row in rows if groups is None or row.queue_group in groups]


def possible(case: Case) -> frozenset[str]:
    """The events that the state of a case knows."""
    return frozenset(TABLE[case.state])
