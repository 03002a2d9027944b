"""Handover: one page of what the shift leaves, noted, given by one person and taken by another."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException
from starlette.responses import RedirectResponse, Response

from callback.reports.records import handover
from callback.site import handovers
from callback.site.handovers import Fault, NotHandedOver
from callback.site.work import Work
from callback.web.console import gate
from callback.web.console.number import Number
from callback.web.console.visit import Visit

router = APIRouter()

LISTED = 10
Note = Annotated[str, Form()]


@router.get("/handover")
def now(visit: gate.Handover) -> Response:
    """Show the shift as it stands, and the handovers before it."""
    return _now(visit)


@router.post("/handover")
def give(visit: gate.Handover, note: Note = "") -> Response:
    """Hand the shift over as it stands."""
    who, groups = visit.viewer.user, visit.viewer.groups

    def act(work: Work) -> int:
        return handovers.hand_over(work, who, note, groups, handover.shift(work, groups).as_json())

    try:
        made = visit.act(act)
    except NotHandedOver as error:
        return _now(visit, error.fault, note)
    return RedirectResponse(f"/handover/{made}", 303)


@router.get("/handover/{of}")
def kept(visit: gate.Handover, of: Number) -> Response:
    """Show a handover as it was made, to be read and printed."""
    return _kept(visit, of)


@router.post("/handover/{of}/take")
def take(visit: gate.Handover, of: Number) -> Response:
    """Take it: whoever leads the next shift has read it."""
    return _act(visit, of, lambda work: handovers.take_over(work, of, visit.viewer.user, visit.viewer.groups))


@router.post("/handover/{of}/note")
def note(visit: gate.Handover, of: Number, note: Note = "") -> Response:
    """Add a note to it."""
    who, groups = visit.viewer.user, visit.viewer.groups
    return _act(visit, of, lambda work: handovers.add_note(work, of, who, note, groups), note)


def _act(visit: Visit, of: int, act: Any, note: str = "") -> Response:  # noqa: ANN401 - what a transaction runs
    try:
        visit.act(act)
    except NotHandedOver as error:
        if error.fault == "unknown":
            raise HTTPException(404) from error
        return _kept(visit, of, error.fault, note)
    return RedirectResponse(f"/handover/{of}", 303)


def _now(visit: Visit, fault: Fault | None = None, note: str = "") -> Response:
    def look(work: Work) -> dict[str, Any]:
        groups = visit.viewer.groups
        shift = handover.shift(work, groups).as_json()
        return {"shift": shift, "before": handover.kept(work, groups, LISTED), "now": work.now}

    status = 200 if fault is None else 422
    return visit.page("site/handover.html", status, fault=fault, note=note, **visit.look(look))


def _kept(visit: Visit, of: int, fault: Fault | None = None, note: str = "") -> Response:
    found = visit.look(lambda work: handover.one(work, of, visit.viewer.groups))
    if found is None:
        raise HTTPException(404)
    status = 200 if fault is None else 409 if fault in {"taken", "own"} else 422
    told = {"kept": found, "shift": found.shift, "fault": fault, "note": note, "now": visit.console.now()}
    return visit.page("site/handover_kept.html", status, **told)
