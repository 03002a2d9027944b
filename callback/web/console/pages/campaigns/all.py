"""Campaigns: which there are, and the form of a new one, or of one that was never started."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form
from pydantic import BaseModel
from starlette.responses import RedirectResponse, Response

from callback.accounts.roles import Groups
from callback.campaigns.criteria import LOSSES
from callback.decisions.campaigns import acts
from callback.decisions.reasons import NONE_GIVEN
from callback.errors import CallbackError
from callback.reports import incidents
from callback.reports.campaigns import progress
from callback.site.groups import is_of
from callback.site.work import Work
from callback.store.audit import By
from callback.web.console import gate
from callback.web.console.campaigns.form import Filled, draft_of, filled_of
from callback.web.console.number import Number
from callback.web.console.visit import Visit

router = APIRouter()
_INCIDENTS = 50


class _Sent(BaseModel):
    """The fields of the form."""

    name: str = ""
    queue: str = ""
    whom: str = "calls"
    queues: list[str] = []
    trunks: list[str] = []
    kinds: list[str] = []
    since: str = ""
    until: str = ""
    incident: str = ""
    per_min: str = ""
    language: list[str] = []
    text: list[str] = []

    def filled(self) -> Filled:
        """The same as it is shown again."""
        words = dict(zip(self.language, self.text, strict=False))
        return Filled(
            self.name, self.queue, self.whom, self.queues, self.trunks, self.kinds, self.since, self.until,
            self.incident, self.per_min, words,
        )  # fmt: skip


Sent = Annotated[_Sent, Form()]


@router.get("/campaigns")
def campaigns(visit: gate.CampaignLook) -> Response:
    """Show all of them, the newest first."""
    groups = visit.viewer.groups
    rows = visit.look(lambda work: progress.campaigns(work, groups))
    return visit.page("campaigns/list.html", rows=rows, may=visit.viewer.may("campaign"), now=visit.console.now())


@router.get("/campaigns/new")
def blank(visit: gate.Campaign) -> Response:
    """Ask whom it is about, and what they are told."""
    return _page(visit, Filled(), None)


@router.post("/campaigns/new")
def make(visit: gate.Campaign, sent: Sent) -> Response:
    """Make it, as a draft."""
    filled, by, groups = sent.filled(), By(visit.viewer.user, NONE_GIVEN), visit.viewer.groups
    try:
        number = visit.act(lambda work: acts.make(work, draft_of(work, filled), by, groups))
    except CallbackError as error:
        return _page(visit, filled, None, str(error))
    return RedirectResponse(f"/campaigns/{number}", 303)


@router.get("/campaigns/{number}/change")
def again(visit: gate.Campaign, number: Number) -> Response:
    """Show the form of one that is there."""
    groups = visit.viewer.groups
    return _page(visit, visit.look(lambda work: filled_of(work, progress.one(work, number, groups))), number)


@router.post("/campaigns/{number}/change")
def change(visit: gate.Campaign, number: Number, sent: Sent) -> Response:
    """Let it say something else, or tell others."""
    filled, by, groups = sent.filled(), By(visit.viewer.user, NONE_GIVEN), visit.viewer.groups
    visit.look(lambda work: progress.one(work, number, groups))
    try:
        visit.act(lambda work: acts.change(work, number, draft_of(work, filled), by, groups))
    except CallbackError as error:
        return _page(visit, filled, number, str(error))
    return RedirectResponse(f"/campaigns/{number}", 303)


def _page(visit: Visit, filled: Filled, number: int | None, problem: str = "") -> Response:
    groups = visit.viewer.groups
    return visit.page(
        "campaigns/form.html", 422 if problem else 200, filled=filled, number=number, problem=problem,
        kinds=LOSSES, now=visit.console.now(), **visit.look(lambda work: _choices(work, groups)),
    )  # fmt: skip


def _choices(work: Work, groups: Groups) -> dict[str, Any]:
    """What can be chosen: queues that may tell very many, queues that are seen, trunks, incidents, languages."""
    rules = work.site.rules
    seen = {name: rules.queue(name) for name in rules.named() if is_of(work.site, name, groups)}
    return {
        "tellers": [(name, queue.caller_id, queue.language) for name, queue in seen.items() if queue.care.campaigns],
        "queues": list(seen),
        "trunks": list(work.site.trunks),
        "incidents": [one for one in incidents.incidents(work, _INCIDENTS) if is_of(work.site, one.parts[0], groups)],
        "tongues": sorted(work.site.texting.templates.languages),
        "usual_per_min": rules.campaigns.texts_per_min,
    }
