"""Incidents: many lost by one cause. What letting go would do is shown first; whom it holds are let go, or dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, HTTPException
from starlette.responses import RedirectResponse, Response

from callback.decisions import reasons
from callback.decisions.acts import incidents as acts
from callback.decisions.acts.incidents import Chosen
from callback.decisions.reasons import NONE_GIVEN
from callback.decisions.undoing import NoSuchBatch, NotUndone
from callback.losses.incidents import NoSuchIncident, Wish
from callback.reports import incidents as report
from callback.reports.incidents import Effect, Incident
from callback.site.work import Work
from callback.store.audit import By
from callback.web.console import gate
from callback.web.console.acts import answer, form
from callback.web.console.number import Number
from callback.web.console.pages.acts import is_stale, number_of
from callback.web.console.visit import Visit

router = APIRouter()

Lines = Annotated[list[str], Form()]
_WISHES: Final[dict[str, Wish]] = {"release": "released", "drop": "dropped"}
_REASONS: Final = ("mistake", "spoken", "test")
"""Why an incident is dropped, by digit."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """An incident with what it holds, and at what rate it lets go."""

    incident: Incident
    effect: Effect
    per_min: float


@router.get("/incidents")
def incidents(visit: gate.Look) -> Response:
    """Show what is open, and what was lately."""
    groups = visit.viewer.groups

    def read(work: Work) -> dict[str, Any]:
        past = report.over(work, groups)
        return {
            "open": [_seen(work, one) for one in report.still_open(work, groups)],
            "past": [(one, report.ends(work, one)) for one in past],
        }

    return visit.page("customers/incidents.html", now=visit.console.now(), **visit.look(read))


@router.get("/incidents/{number}")
def incident(visit: gate.Look, number: Number, batch: str = "") -> Response:
    """Show what letting go of one would do, before anybody decides."""
    chosen = visit.look(lambda work: acts.chosen(work, number_of(batch))) if batch else None
    return _page(visit, number, chosen=chosen)


@router.post("/incidents/{number}/undo")
def undo(visit: gate.Decide, number: Number, batch: Annotated[str, Form()] = "") -> Response:
    """Take back what was decided a moment ago."""
    by, groups = By(visit.viewer.user, NONE_GIVEN), visit.viewer.groups
    try:
        visit.act(lambda work: acts.undo(work, number_of(batch), by, groups))
    except NoSuchBatch:
        return answer.not_undone(visit, None)
    except NotUndone as error:
        return answer.not_undone(visit, error)
    if not visit.wants_fragment:
        return RedirectResponse(f"/incidents/{number}", 303)
    return _page(visit, number, undone=True)


@router.post("/incidents/{number}/{wish}")
def decide(visit: gate.Decide, number: Number, wish: str, why: Lines = []) -> Response:  # noqa: B006 - never changed
    """Let go, or drop, all whom it holds; that begins when it cannot be undone any more."""
    if wish not in _WISHES:
        raise HTTPException(404)
    said = form.form_of("cancel", (), why, (), ())
    if wish == "drop" and (not said.why or len(said.why) > form.WHY_LONGEST):
        return _page(visit, number, 422, fault="no-reason" if not said.why else "long-reason")
    if wish == "drop" and visit.look(is_stale):
        return answer.stale(visit)
    by, groups = By(visit.viewer.user, said.reason), visit.viewer.groups
    try:
        chosen = visit.act(lambda work: acts.decide(work, number, _WISHES[wish], by, groups))
    except NoSuchIncident as error:
        raise HTTPException(404) from error
    if not visit.wants_fragment:
        return RedirectResponse(f"/incidents/{number}?batch={chosen.batch}", 303)
    return _page(visit, number, chosen=chosen)


def _page(
    visit: Visit,
    number: int,
    status: int = 200,
    *,
    chosen: Chosen | None = None,
    fault: str = "",
    undone: bool = False,
) -> Response:
    def read(work: Work) -> _Seen:
        found = report.one(work, number, visit.viewer.groups)
        if found is None:
            raise HTTPException(404)
        return _seen(work, found)

    told = visit.wants_fragment and (chosen is not None or undone or fault)
    return visit.page(
        "customers/incident_told.html" if told else "customers/incident.html", status,
        seen=visit.look(read), chosen=chosen, fault=fault, undone=undone, now=visit.console.now(),
        may_decide=visit.viewer.may("decide"), presets=_REASONS, sentences=reasons.REASONS,
    )  # fmt: skip


def _seen(work: Work, found: Incident) -> _Seen:
    return _Seen(found, report.effect(work, found), work.site.rules.incident_drain_per_min)
