"""Registering a complaint: of a callback's, a text's or a call's customer, or of a bare number."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, HTTPException
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from callback.care.cases import CasesOff, NoSuchCase, Opened
from callback.decisions import reasons
from callback.decisions.acts.answers import NoSuchAnswer, NotOpen
from callback.decisions.care import registering
from callback.decisions.care.acting import CASE_TEXT, Actor
from callback.decisions.care.registering import Complaint, NumberBlocked, UnknownDepartment, UnknownTopic
from callback.errors import CallbackError, StoreError
from callback.logs.masking import masked_text
from callback.reports.agent import desk
from callback.reports.care import about, cases
from callback.reports.care.about import About
from callback.site import written
from callback.site.work import Work
from callback.store.audit import By
from callback.web.console import gate
from callback.web.console.care import choices
from callback.web.console.care.forms import Fault, Wrong
from callback.web.console.number import number_in
from callback.web.console.visit import Visit

router = APIRouter()

CALL_LONGEST: Final = 150
_FAULTS: Final[dict[type[CallbackError], tuple[Fault, int]]] = {
    CasesOff: ("queue-off", 422),
    UnknownTopic: ("no-topic", 422),
    UnknownDepartment: ("no-department", 422),
    NumberBlocked: ("number-blocked", 422),
    NoSuchCase: ("no-queue", 422),
    NotOpen: ("read-already", 409),
    NoSuchAnswer: ("read-already", 409),
}
"""What is to be put right, by what a decision refuses."""


class Filled(BaseModel):
    """The form, as it is shown again where something is to be put right.

    `r`, `answer` and `call` name the customer: by a callback, a text, or a call. `number` does where none of them is
    there.
    """

    r: str = ""
    answer: str = ""
    call: str = ""
    number: str = ""
    queue: str = ""
    topic: str = ""
    product: str = ""
    department: str = ""
    severity: int = 1
    words: str = ""
    wish: str = ""
    about: str = ""  # the call that it is about
    promised: str = ""
    by: str = ""  # when that is to be done


@router.get("/cases/new")
def ask(visit: gate.RegisterCase) -> Response:
    """Ask what the complaint is."""
    return _page(visit, _named(visit.request))


@router.post("/cases/new")
def register(visit: gate.RegisterCase, filled: Annotated[Filled, Form()]) -> Response:
    """Register it; the case is shown then, also where one stood open already."""
    try:
        opened = visit.act(lambda work: _register(work, visit, filled))
    except Wrong as error:
        return _page(visit, filled, 422, fault=error.fault)
    except StoreError:
        raise
    except CallbackError as error:
        fault, status = _FAULTS.get(type(error), (None, 422))
        return _page(visit, filled, status, fault=fault, told="" if fault else masked_text(str(error)))
    return RedirectResponse(f"/cases/{opened.case}", 303)


def _named(request: Request) -> Filled:
    """Whom the address names."""
    query = request.query_params
    return Filled(r=query.get("r", ""), answer=query.get("answer", ""), call=query.get("call", ""))


def _register(work: Work, visit: Visit, filled: Filled) -> Opened:
    seen = _about(work, visit, filled)
    actor = Actor(By(visit.viewer.user, reasons.NONE_GIVEN), visit.viewer.roles, visit.viewer.groups)
    complaint = _complaint(work, visit, filled, seen)
    if filled.answer:
        return registering.from_text(work, number_in(filled.answer) or 0, complaint, actor)
    return registering.register(work, complaint, actor)


def _complaint(work: Work, visit: Visit, filled: Filled, seen: About | None) -> Complaint:
    """What the form says. Wrong where something is to be put right."""
    if seen is None and written.number_of(visit.console.settings, filled.number) is None:
        raise Wrong("no-number")
    if filled.queue not in cases.queues(work, visit.viewer.groups):
        raise Wrong("no-queue")
    if not filled.answer and not filled.words.strip():
        raise Wrong("no-words")
    if max(len(filled.words), len(filled.wish)) > CASE_TEXT:
        raise Wrong("long-words")
    calls = {one.call_id for one in seen.calls} if seen is not None else set()
    return Complaint(
        queue=filled.queue,
        number="" if seen is not None else filled.number.strip(),
        person=None if seen is None else seen.person,
        topic=filled.topic,
        product=filled.product,
        department=filled.department,
        severity=filled.severity,
        words=filled.words,
        wish=filled.wish,
        promised=filled.promised,
        promised_by_at=_by_at(work, filled.by),
        call_id=filled.about if filled.about in calls else None,
        source="supervisor" if visit.viewer.may("care") else "agent",
    )


def _by_at(work: Work, said: str) -> int | None:
    if not said.strip():
        return None
    try:
        at = written.instant(said, work.now, work.site.hours.zone)
    except CallbackError as error:
        raise Wrong("bad-time") from error
    if at <= work.now:
        raise Wrong("passed")
    return at


def _about(work: Work, visit: Visit, filled: Filled) -> About | None:
    """The customer whom the form names; None: none but by a number. 404 where that is nobody this person may see."""
    groups, leads = visit.viewer.groups, visit.viewer.may("care")
    if not (filled.r or filled.answer or filled.call):
        return None
    found: About | None = None
    if filled.answer:
        found = about.of_answer(work, number_in(filled.answer) or 0, groups) if leads else None
    elif filled.call:
        found = about.of_call(work, filled.call[:CALL_LONGEST], groups) if leads else None
    elif (number := number_in(filled.r)) is not None and (leads or _is_own(work, visit, number)):
        found = about.of_reservation(work, number, groups)
    if found is None:
        raise HTTPException(404)
    return found


def _is_own(work: Work, visit: Visit, reservation: int) -> bool:
    """Whether an agent's own page shows this callback."""
    return reservation in desk.shown(
        desk.look(visit.console.keeper.queue(work), visit.viewer.user, visit.viewer.groups)
    )


def _page(visit: Visit, filled: Filled, status: int = 200, *, fault: Fault | None = None, told: str = "") -> Response:
    def look(work: Work) -> dict[str, Any]:
        seen = _about(work, visit, filled)
        offered = choices.choices(work, visit.viewer)
        queue = filled.queue or ("" if seen is None else seen.queue)
        first = queue if queue in offered.queues else next(iter(offered.queues), "")
        return {
            "seen": seen,
            "choices": offered,
            "queue": first,
            "now": work.now,
            "hours": work.site.rules.care.complaint_h,
        }

    told_of = {"filled": filled, "fault": fault, "told": told}
    return visit.page("care/register.html", status, **told_of, **visit.look(look))
