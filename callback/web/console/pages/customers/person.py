"""One customer: what is owed, known and done for a number; found by a form, so that no number stands in an address.

A customer is named in an address by one of the reservations, which whoever asks may see.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Form, HTTPException
from starlette.responses import RedirectResponse, Response

from callback.customers import blocks
from callback.customers.blocks import Blocked
from callback.customers.persons import ERASED, TAIL_DIGITS
from callback.decisions import actions, reasons, records
from callback.decisions.actions import NoSuchReservation
from callback.errors import CallbackError, StoreError
from callback.reports.queue import search
from callback.reports.queue.board import Queue
from callback.reports.queue.rows import Row
from callback.reports.records import dossier
from callback.reports.timeline import story
from callback.reservations.reservation import Reservation
from callback.site.telling import tell
from callback.site.work import Work
from callback.store.audit import By
from callback.web.console import gate
from callback.web.console.care import customer
from callback.web.console.care.customer import OfCustomer
from callback.web.console.gate import Needs
from callback.web.console.number import Number
from callback.web.console.parts import SEARCH_EVERY_S
from callback.web.console.reservation.content import Line, lines_of
from callback.web.console.visit import Visit
from scheduler.clock import SECOND

router = APIRouter()

Export = Annotated[Visit, Depends(Needs("export-person", proved=True))]
Erase = Annotated[Visit, Depends(Needs("erase", proved=True))]
Unblock = Annotated[Visit, Depends(Needs("unblock"))]
Said = Annotated[str, Form(max_length=400)]
Fault = Literal["no-reason", "wrong-digits", "all-groups", "being-called", "erased", "no-kind", "long-note"]
WHAT: Final = {"both": (True, True), "calls": (True, False), "texts": (False, True)}
_NOTHING: Final[Mapping[str, str]] = {}
_EXPORTED: Final = "asked for by the customer"


@dataclass(frozen=True, slots=True)
class Seen:
    """A customer as the page shows one: the reservations, what happened, and what the number is blocked for."""

    row: Reservation
    rows: tuple[Row, ...]
    lines: list[Line]
    blocked: Blocked
    erased: bool
    care: OfCustomer
    now: int


@router.get("/p")
def ask(visit: gate.Person) -> Response:
    """Ask for a number."""
    return visit.page("customers/person_find.html", found=None, typed="")


@router.post("/p")
def find(visit: gate.Person, number: Annotated[str, Form(max_length=40)] = "") -> Response:
    """Find a customer by the number or its last four digits: one is shown, of several one is chosen."""
    groups, console = visit.viewer.groups, visit.console
    if search.is_whole(number) and not console.searches.allows(visit.viewer.user, console.now() / SECOND):
        raise HTTPException(429, headers={"Retry-After": f"{SEARCH_EVERY_S:.0f}"})
    hits = visit.look(lambda work: search.find(Queue(work), number, groups))
    first: dict[str, Row] = {}
    for row in hits.rows:
        first.setdefault(row.number, row)
    if len(first) == 1:
        return RedirectResponse(f"/p/{next(iter(first.values())).reservation}", 303)
    return visit.page("customers/person_find.html", found=list(first.values()), typed=number)


@router.get("/p/{number}")
def shown(visit: gate.Person, number: Number) -> Response:
    """Show the customer whose reservation this is."""
    return page(visit, number)


@router.post("/p/{number}/unblock")
def unblock(visit: Unblock, number: Number, what: Annotated[str, Form()] = "both", why: Said = "") -> Response:
    """Take a block back, for calls, texts or both."""
    reason = reasons.said(why.strip())
    if not reason:
        return page(visit, number, "no-reason", {"what": what})
    calls, texts = WHAT.get(what, WHAT["both"])

    def act(work: Work) -> None:
        row = row_of(work, visit, number)
        actions.unblock(work, row.e164, calls=calls, texts=texts, by=By(visit.viewer.user, reason))

    visit.act(act)
    return RedirectResponse(f"/p/{number}", 303)


@router.post("/p/{number}/export.json")
def export(visit: Export, number: Number) -> Response:
    """Give every row about the customer, the number too; that somebody had them is kept in the audit."""
    if visit.viewer.groups is not None:
        return page(visit, number, "all-groups")
    by = By(visit.viewer.user, _EXPORTED)

    def act(work: Work) -> dict[str, Any]:
        row = row_of(work, visit, number)
        tell(work, by, "export", {}, row.id)
        return dossier.of(work, row.person_id)

    body = json.dumps(visit.act(act), ensure_ascii=False, indent=1)
    headers = {"Content-Disposition": f'attachment; filename="person-{number}.json"'}
    return Response(body, media_type="application/json", headers=headers)


@router.post("/p/{number}/erase")
def erase(visit: Erase, number: Number, digits: Annotated[str, Form(max_length=20)] = "", why: Said = "") -> Response:
    """Erase the customer for good: whoever does it types the last four digits, and says why."""
    if visit.viewer.groups is not None:
        return page(visit, number, "all-groups")
    reason, typed = reasons.said(why.strip()), {"digits": digits, "erase_why": why}
    if not reason:
        return page(visit, number, "no-reason", typed)

    def act(work: Work) -> Fault | None:
        row = row_of(work, visit, number)
        if row.e164.startswith(ERASED):
            return "erased"
        if not digits.isascii() or row.e164[-TAIL_DIGITS:] != digits.strip():
            return "wrong-digits"
        if row.state == "calling":
            return "being-called"
        actions.erase(work, row.e164, By(visit.viewer.user, reason))
        return None

    try:
        fault = visit.act(act)
        visit.console.store.forget_overwritten()
    except CallbackError as error:
        if isinstance(error, NoSuchReservation | StoreError):
            raise
        fault = "being-called"
    return RedirectResponse(f"/p/{number}", 303) if fault is None else page(visit, number, fault, typed)


def page(visit: Visit, number: int, fault: Fault | None = None, typed: Mapping[str, str] = _NOTHING) -> Response:
    """Show a customer; where a form was refused, with what was typed."""

    def look(work: Work) -> Seen:
        row, groups = row_of(work, visit, number), visit.viewer.groups
        entries = story.of_person(work, row.person_id, groups)
        ids = sorted({entry.reservation for entry in entries if entry.reservation is not None} | {row.id}, reverse=True)
        rows = sorted(Queue(work).by_id(ids[:MOST], groups), key=lambda one: one.lane == "")
        erased = row.e164.startswith(ERASED)
        stands = blocks.FREE if erased else blocks.blocked(work.connection, row.e164)
        lines, care = lines_of(work, entries, visit.language)[::-1], customer.look(work, visit, row.person_id)
        return Seen(row, tuple(rows), lines, stands, erased, care, work.now)

    seen, may = visit.look(look), visit.viewer.may
    rights = {"unblock": may("unblock"), "export": may("export-person"), "erase": may("erase")}
    rights |= {"care": may("care"), "manner": may("note-customer")}
    status = 200 if fault is None else 422
    return visit.page("customers/person.html", status, seen=seen, may=rights, fault=fault, typed=typed)


MOST: Final = 200
"""Reservations of one customer that are listed: the newest."""


def row_of(work: Work, visit: Visit, number: int) -> Reservation:
    """The reservation by which the customer is named; of another group it is like one that there is not."""
    row = next(iter(records.seen(work, [number], visit.viewer.groups)), None)
    if row is None:
        raise NoSuchReservation(actions.no_such(work, number))
    return row
