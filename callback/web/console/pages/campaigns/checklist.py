"""The checklist of a campaign: the five S, each with who answers for it, whether it is done, and a note."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from callback.campaigns import checklist as kept
from callback.decisions.campaigns import checklist
from callback.decisions.campaigns.checklist import Said
from callback.decisions.reasons import NONE_GIVEN
from callback.errors import CallbackError
from callback.reports.campaigns import progress
from callback.site.work import Work
from callback.store.audit import By
from callback.web.console import gate
from callback.web.console.number import Number
from callback.web.console.visit import Visit

router = APIRouter()
Text = Annotated[str, Form()]


@router.get("/campaigns/{number}/checklist")
def shown(visit: gate.CampaignLook, number: Number) -> Response:
    """Show the five lines."""
    return _page(visit, number)


@router.post("/campaigns/{number}/checklist")
def check(
    visit: gate.Campaign, number: Number, line: Text = "", owner: Text = "", done: Text = "", note: Text = ""
) -> Response:
    """Keep a line as it is filled in."""
    by, groups = By(visit.viewer.user, NONE_GIVEN), visit.viewer.groups
    said = Said(line=line, owner=owner, done=bool(done), note=note)
    try:
        visit.act(lambda work: checklist.check(work, number, said, by, groups))
    except CallbackError as error:
        return _page(visit, number, str(error))
    return RedirectResponse(f"/campaigns/{number}/checklist", 303)


def _page(visit: Visit, number: int, problem: str = "") -> Response:
    groups = visit.viewer.groups

    def read(work: Work) -> dict[str, Any]:
        one = progress.one(work, number, groups)
        return {"one": one, "lines": kept.read(work, number)}

    return visit.page(
        "campaigns/checklist.html", 422 if problem else 200, problem=problem, now=visit.console.now(),
        may=visit.viewer.may("campaign"), **visit.look(read),
    )  # fmt: skip
