"""One case: what it is, what happened, what stands behind it; and what people decide about it."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, HTTPException
from pydantic import BaseModel
from starlette.responses import RedirectResponse, Response

from callback.care import callbacks
from callback.care.cases import NoSuchCase
from callback.decisions import reasons
from callback.decisions.actions import NoSuchPerson
from callback.decisions.care import cases as deciding
from callback.decisions.care.acting import CASE_TEXT, Actor, AskedCase, CaseChanged, NotYourCase
from callback.decisions.care.cases import HOWS
from callback.decisions.care.revealing import reveal as revealing
from callback.errors import CallbackError, IllegalTransition, StoreError
from callback.logs.masking import masked_text
from callback.reports.agent import desk
from callback.reports.care import cases, whole
from callback.reports.care.whole import Whole
from callback.site.work import Work
from callback.store.audit import By
from callback.web.console import gate
from callback.web.console.care import choices, steps
from callback.web.console.care.forms import Fault
from callback.web.console.care.manners import manner
from callback.web.console.number import Number
from callback.web.console.visit import Visit
from scheduler.clock import MINUTE

router = APIRouter()

ACTS: Final = ("assign", "answer", "confirm", "deny", "withdraw", "compensate", "note")
REVEAL_MIN: Final = 10
_ASKED: Final = "asked for on the page"


class Filled(BaseModel):
    """The form of an act: the revision that the page showed, and what that act needs."""

    revision: int | None = None
    words: str = ""
    how: str = ""
    owner: str = ""
    department: str = ""
    compensation: str = ""


@router.get("/cases/{number}")
def shown(visit: gate.RegisterCase, number: Number) -> Response:
    """Show a case; whoever may not see all of them sees those alone that are the person's own."""
    return _page(visit, number)


@router.post("/cases/{number}/reveal")
def reveal(visit: gate.Reveal, number: Number) -> Response:
    """Show the number in full, to this person alone; that it was shown stands in the audit."""
    by = By(visit.viewer.user, _ASKED)
    try:
        e164 = visit.act(lambda work: revealing(work, number, by, visit.viewer.groups))
    except NoSuchCase as error:
        raise HTTPException(404) from error
    except NoSuchPerson:
        e164 = ""
    until_at = visit.console.now() + REVEAL_MIN * MINUTE
    template = "reservation/revealed.html" if visit.wants_fragment else "care/number.html"
    return visit.page(template, number=number, e164=e164, until_at=until_at)


@router.post("/cases/{number}/{act}")
def decide(visit: gate.RegisterCase, number: Number, act: str, filled: Annotated[Filled, Form()]) -> Response:
    """Decide about a case as the page showed it."""
    if act not in ACTS:
        raise HTTPException(404)
    fault = _fault(act, filled)
    if fault:
        return _page(visit, number, 422, act=act, fault=fault, filled=filled)
    try:
        visit.act(lambda work: _do(work, number, act, filled, _actor(work, visit)))
    except NoSuchCase as error:
        raise HTTPException(404) from error
    except CaseChanged:
        return _page(visit, number, 409, act=act, fault="changed", filled=filled)
    except IllegalTransition:
        return _page(visit, number, 409, act=act, fault="not-now", filled=filled)
    except NotYourCase:
        return _page(visit, number, 422, act=act, fault="not-yours", filled=filled)
    except StoreError:
        raise
    except CallbackError as error:
        return _page(visit, number, 422, act=act, told=masked_text(str(error)), filled=filled)
    return RedirectResponse(f"/cases/{number}", 303)


def _fault(act: str, filled: Filled) -> Fault | None:
    """What is to be put right before anything is decided."""
    if act in {"answer", "note"} and not filled.words.strip():
        return "no-words"
    if len(filled.words) > CASE_TEXT:
        return "long-words"
    if act in {"confirm", "deny", "withdraw"} and filled.how not in HOWS:
        return "no-how"
    return None


def _do(work: Work, number: int, act: str, filled: Filled, actor: Actor) -> None:
    asked = AskedCase(number, filled.revision)
    if act == "note":
        deciding.note(work, number, filled.words, actor)
    elif act == "answer":
        deciding.answer(work, asked, filled.words, actor)
    elif act == "compensate":
        deciding.compensate(work, asked, filled.compensation, actor)
    elif act == "assign":
        owner, department = filled.owner.strip(), filled.department
        deciding.assign(work, asked, actor, owner=owner, department=department)
    else:
        how = next(one for one in HOWS if one == filled.how)
        {"confirm": deciding.confirm, "deny": deciding.deny, "withdraw": deciding.withdraw}[act](
            work, asked, how, actor, filled.words
        )


def _actor(work: Work, visit: Visit) -> Actor:
    by = By(visit.viewer.user, reasons.NONE_GIVEN)
    return Actor(by, visit.viewer.roles, visit.viewer.groups, _names(work, visit))


def _names(work: Work, visit: Visit) -> frozenset[str]:
    """By which the PBX knows the person's phone, where that is what makes a case the person's own."""
    return frozenset() if visit.viewer.may("care") else desk.phone_of(work, visit.viewer.user).names


def _page(visit: Visit, number: int, status: int = 200, *, filled: Filled | None = None, **said: Any) -> Response:  # noqa: ANN401 - what the template tells
    def look(work: Work) -> dict[str, Any]:
        seen = _seen(work, visit, number)
        care, viewer = work.site.rules.care, visit.viewer
        return {
            "seen": seen,
            "topic": choices.topic(care, seen.case.topic),
            "steps": [steps.told(one, visit.language) for one in seen.steps],
            "choices": choices.choices(work, viewer),
            "titles": {name: one.title for name, one in care.compensations.items()},
            "people": choices.people(work, viewer.groups),
            "acts": _acts(seen),
            "manner": manner(work, seen.case.person_id, visit.language),
            "others": [
                (one, cases.clock_of(one, care, work.now), choices.topic(care, one.topic)) for one in seen.others
            ],
            "now": work.now,
        }

    told = {"act": "", "fault": None, "told": "", **said}
    may = {right: visit.viewer.may(right) for right in ("care", "reveal", "person", "look", "note-customer")}
    return visit.page(
        "care/case.html", status, filled=filled or Filled(), hows=HOWS, may=may, **told, **visit.look(look)
    )  # fmt: skip


def _seen(work: Work, visit: Visit, number: int) -> Whole:
    """The case, for who may see it. 404 otherwise."""
    viewer = visit.viewer
    seen = whole.whole(work, number, viewer.groups)
    if seen is None:
        raise HTTPException(404)
    names = _names(work, visit)
    own = cases.is_of(seen.case, {viewer.user, *names}) or callbacks.made_by(work, seen.case, names)
    if not own and not viewer.may("care"):
        raise HTTPException(404)
    return seen


def _acts(seen: Whole) -> frozenset[str]:
    """What the state of the case allows."""
    if seen.erased:
        return frozenset()
    events = whole.possible(seen.case)
    by_event = {"assigned": "assign", "answered": "answer", "confirmed": "confirm", "denied": "deny",
                "withdrawn": "withdraw"}  # fmt: skip
    given = {by_event[event] for event in events if event in by_event}
    if seen.case.state == "registered":
        given.add("answer")  # whoever answers takes it over
    if seen.case.open and not seen.case.compensation:
        given.add("compensate")
    return frozenset(given | {"note"})
