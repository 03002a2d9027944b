"""One campaign: what it would do, how far it is, and what is decided about it. One key stops it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, UploadFile
from starlette.responses import RedirectResponse, Response

from callback.campaigns import states
from callback.decisions.campaigns import acts
from callback.decisions.campaigns.acts import Taken
from callback.decisions.reasons import NONE_GIVEN, said
from callback.errors import CallbackError
from callback.reports.campaigns import callers, preview, progress
from callback.site.work import Work
from callback.store.audit import By
from callback.web.console import gate
from callback.web.console.acts.form import WHY_LONGEST
from callback.web.console.campaigns import view
from callback.web.console.number import Number, number_in
from callback.web.console.visit import Visit
from scheduler.clock import HOUR

router = APIRouter()
Lines = Annotated[list[str], Form()]
Text = Annotated[str, Form()]
PRESETS: Final = ("works", "rush")
"""Why people are told, by digit."""
HOURS: Final = (1, 4, 12, 24, 72)
_ANSWERS: Final = 50
_TOLD: Final = ("running", "stopped", "done")


@router.get("/campaigns/{number}")
def campaign(visit: gate.CampaignLook, number: Number) -> Response:
    """Show it."""
    return _page(visit, number)


@router.post("/campaigns/{number}/numbers")
def numbers(visit: gate.Campaign, number: Number, file: UploadFile) -> Response:
    """Take the people of a file into the audience; lines that cannot be used are named."""
    by, groups = By(visit.viewer.user, NONE_GIVEN), visit.viewer.groups
    content = file.file.read()

    def read_and_take(work: Work) -> Taken:
        return acts.add_numbers(work, number, acts.read_numbers(work, content), by, groups)

    try:
        taken = visit.act(read_and_take)
    except CallbackError as error:
        return _refused(visit, number, error)
    return _page(visit, number, taken=taken)


@router.post("/campaigns/{number}/numbers/remove")
def remove_numbers(visit: gate.Campaign, number: Number) -> Response:
    """Take out again whom files named."""
    return _act(visit, number, lambda work, by: acts.remove_numbers(work, number, by, visit.viewer.groups))


@router.post("/campaigns/{number}/build")
def build(visit: gate.Campaign, number: Number) -> Response:
    """Gather whom it tells."""
    return _act(visit, number, lambda work, by: acts.build(work, number, by, visit.viewer.groups))


@router.post("/campaigns/{number}/start")
def start(visit: gate.Campaign, number: Number, why: Lines = []) -> Response:  # noqa: B006 - never changed
    """Begin to tell people, or go on."""
    return _act(visit, number, lambda work, by: acts.start(work, number, by, visit.viewer.groups), why)


@router.post("/campaigns/{number}/stop")
def stop(visit: gate.Campaign, number: Number) -> Response:
    """Stop it at once."""
    return _act(visit, number, lambda work, by: acts.stop(work, number, by, visit.viewer.groups))


@router.post("/campaigns/{number}/finish")
def finish(visit: gate.Campaign, number: Number, why: Lines = []) -> Response:  # noqa: B006 - never changed
    """End it for good."""
    return _act(visit, number, lambda work, by: acts.finish(work, number, by, visit.viewer.groups), why)


@router.post("/campaigns/{number}/callers")
def tell_callers(visit: gate.Campaign, number: Number, hours: Text = "") -> Response:
    """Let the dialplan tell those who call, for so many hours; none: no more."""
    chosen = number_in(hours)
    for_us = chosen * HOUR if chosen else None
    return _act(visit, number, lambda work, by: acts.tell_callers(work, number, for_us, by, visit.viewer.groups))


def _act(visit: Visit, number: int, do: Callable[[Work, By], object], why: list[str] | None = None) -> Response:
    """Decide, and show what stands then; what cannot be is said on the page."""
    reason = next((said(one.strip()) for one in reversed(why or ()) if one.strip()), NONE_GIVEN)
    by = By(visit.viewer.user, reason[:WHY_LONGEST])
    try:
        visit.act(lambda work: do(work, by))
    except CallbackError as error:
        return _refused(visit, number, error)
    return RedirectResponse(f"/campaigns/{number}", 303)


def _refused(visit: Visit, number: int, error: CallbackError) -> Response:
    return _page(visit, number, problem=str(error))


def _page(visit: Visit, number: int, *, problem: str = "", taken: Taken | None = None) -> Response:
    groups = visit.viewer.groups
    pages, language = visit.console.pages, visit.language

    def read(work: Work) -> dict[str, Any]:
        one = progress.one(work, number, groups)
        told = one.state in _TOLD
        seen = view.far(work, one)
        return {
            "one": one,
            "preview": preview.preview(work, one) if one.state != "draft" else None,
            "far": seen if told else None,
            "part": view.printed(pages, language, seen) if told else "",
            "answers": progress.answers(work, one, _ANSWERS) if told else [],
            "callers": callers.callers(work, one) if told else None,
        }

    return visit.page(
        "campaigns/one.html", 422 if problem else 200, problem=problem, taken=taken, now=visit.console.now(),
        may=visit.viewer.may("campaign"), may_read=visit.viewer.may("look"), can=states.may, hours=HOURS,
        presets=PRESETS, **visit.look(read),
    )  # fmt: skip
