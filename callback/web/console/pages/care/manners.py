"""How to speak with a customer: one of five kinds and a note, set and taken away by people on the customer's page."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from callback.care.advice import COMPLAINERS
from callback.decisions import reasons
from callback.decisions.actions import NoSuchPerson
from callback.decisions.care import customer_notes
from callback.decisions.care.customer_notes import BadNote
from callback.site.work import Work
from callback.store.audit import By
from callback.web.console import gate
from callback.web.console.number import Number
from callback.web.console.pages.customers import person
from callback.web.console.visit import Visit

router = APIRouter()

NOTE_LONGEST: Final = 400


@router.post("/p/{number}/manner")
def put(
    visit: gate.NoteCustomer, number: Number, kind: Annotated[str, Form()] = "", note: Annotated[str, Form()] = ""
) -> Response:
    """Set how to speak with the customer whose reservation this is."""
    typed = {"note": note, "kind": kind}
    if kind not in COMPLAINERS:
        return person.page(visit, number, "no-kind", typed)
    if len(note) > NOTE_LONGEST:
        return person.page(visit, number, "long-note", typed)
    try:
        visit.act(lambda work: customer_notes.put(work, _person(work, visit, number), kind, note, _by(visit)))
    except BadNote:
        return person.page(visit, number, "long-note", typed)
    except NoSuchPerson:
        return person.page(visit, number, "erased", typed)
    return RedirectResponse(f"/p/{number}", 303)


@router.post("/p/{number}/manner/remove")
def remove(visit: gate.NoteCustomer, number: Number) -> Response:
    """Take it away."""
    visit.act(lambda work: customer_notes.remove(work, _person(work, visit, number), _by(visit)))
    return RedirectResponse(f"/p/{number}", 303)


def _person(work: Work, visit: Visit, number: int) -> int:
    return person.row_of(work, visit, number).person_id


def _by(visit: Visit) -> By:
    return By(visit.viewer.user, reasons.NONE_GIVEN)
