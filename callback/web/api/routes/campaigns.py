"""Campaigns: which there are, how far each is, what its samples said; a program may start one, and stop it at once."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field
from starlette.responses import JSONResponse, Response

from callback.campaigns.campaign import Campaign, CampaignFault, NoSuchCampaign
from callback.campaigns.states import State
from callback.decisions import reasons
from callback.decisions.batch import NoReason
from callback.decisions.campaigns import acts
from callback.errors import IllegalTransition
from callback.reports.campaigns import progress, results
from callback.reports.campaigns.results import Round
from callback.site.work import Work
from callback.store.engine import HIGHEST
from callback.web.api import values
from callback.web.api.access import Reporting, Switching
from callback.web.api.documented import PREFIX, problems
from callback.web.api.problems import Problem, not_found
from callback.web.api.values import Id, Said, Shown, Text, Time

router = APIRouter(prefix=PREFIX, tags=["campaigns"])

OfCampaign = Annotated[int, Path(ge=1, le=HIGHEST, description="The number of the campaign.")]


class Why(Said):
    """Why people are told."""

    why: Text = Field(examples=["the outage of this morning"])


class CampaignShown(Shown):
    """A campaign, and how far it is."""

    id: Id
    name: str
    queue: str
    state: State
    per_min: float
    people: int = Field(description="In the audience, those who are left out as well.")
    told: int = Field(description="Whose text was written.")
    made_at: Time
    made_by: str
    started_at: Time | None
    ended_at: Time | None


class CampaignList(Shown):
    """Campaigns, the newest first."""

    items: list[CampaignShown]


class RoundShown(Shown):
    """A sample, and what it says: the mean score with its 95% interval, and how far it lies from the round before."""

    round: int
    seed: int
    size: int
    drawn_at: Time
    valid: int
    of_people: int
    mean: float | None
    low: float | None
    high: float | None
    change: float | None
    change_low: float | None
    change_high: float | None


class CampaignWhole(CampaignShown):
    """A campaign with how its texts stand, what was answered, and its samples."""

    texts: dict[str, int]
    answers: dict[str, int] = Field(description="By what was asked for.")
    samples: list[RoundShown]


@router.get("/campaigns", response_model=CampaignList, summary="Campaigns", responses=problems(),
            operation_id="list_campaigns")  # fmt: skip
def listed(caller: Reporting) -> Response:
    """List the campaigns of the token's groups, the newest first."""

    def look(work: Work) -> list[dict[str, Any]]:
        return [_shown(one, work) for one in progress.campaigns(work, caller.groups)]

    return JSONResponse({"items": caller.api.look(look)})


@router.get("/campaigns/{campaign}", response_model=CampaignWhole, summary="A campaign", responses=problems(404),
            operation_id="read_campaign")  # fmt: skip
def read(caller: Reporting, campaign: OfCampaign) -> Response:
    """Read how far a campaign is, and what its samples said."""

    def look(work: Work) -> dict[str, Any]:
        one = progress.one(work, campaign, caller.groups)
        far = progress.progress(work, one)
        texts = {name: getattr(far, name) for name in ("waiting", "sending", "sent", "delivered", "failed", "unknown")}
        samples = [_round(drawn, work) for drawn in results.rounds(work, campaign)]
        return _shown(one, work) | {"texts": texts, "answers": dict(far.answers), "samples": samples}

    try:
        return JSONResponse(caller.api.look(look))
    except NoSuchCampaign as error:
        raise not_found() from error


@router.post("/campaigns/{campaign}/start", response_model=CampaignShown, summary="Start a campaign",
             responses=problems(400, 404, 409), operation_id="start_campaign")  # fmt: skip
def start(caller: Switching, campaign: OfCampaign, wish: Why) -> Response:
    """Begin to tell people, or go on with those who were not told before it was stopped."""
    by = caller.by(reasons.said(wish.why))

    def do(work: Work) -> dict[str, Any]:
        acts.start(work, campaign, by, caller.groups)
        return _shown(progress.one(work, campaign, caller.groups), work)

    try:
        return JSONResponse(caller.api.act(do))
    except NoSuchCampaign as error:
        raise not_found() from error
    except NoReason as error:
        raise Problem(422, "reason-needed", str(error), "say `why`") from error
    except (IllegalTransition, CampaignFault) as error:
        raise Problem(409, "not-possible", str(error)) from error


@router.post("/campaigns/{campaign}/stop", response_model=CampaignShown, summary="Stop a campaign",
             responses=problems(404, 409), operation_id="stop_campaign")  # fmt: skip
def stop(caller: Switching, campaign: OfCampaign) -> Response:
    """Stop it at once: what waits is taken back; texts that the gateway has already can still arrive."""

    def do(work: Work) -> dict[str, Any]:
        acts.stop(work, campaign, caller.by(), caller.groups)
        return _shown(progress.one(work, campaign, caller.groups), work)

    try:
        return JSONResponse(caller.api.act(do))
    except NoSuchCampaign as error:
        raise not_found() from error
    except IllegalTransition as error:
        raise Problem(409, "not-possible", str(error)) from error


def _shown(one: Campaign, work: Work) -> dict[str, Any]:
    zone = work.site.hours.zone
    times = {"made_at": one.made_at, "started_at": one.started_at, "ended_at": one.ended_at}
    plain = {name: getattr(one, name) for name in ("id", "name", "queue", "state", "per_min", "people", "told")}
    said = {name: None if at is None else values.rfc3339(at, zone) for name, at in times.items()}
    return {**plain, "made_by": one.made_by, **said}


def _round(drawn: Round, work: Work) -> dict[str, Any]:
    result, since = drawn.result, drawn.since
    return {
        **{name: getattr(drawn, name) for name in ("round", "seed", "size")},
        "drawn_at": values.rfc3339(drawn.drawn_at, work.site.hours.zone),
        "valid": result.valid,
        "of_people": result.people,
        **{name: getattr(result, name) for name in ("mean", "low", "high")},
        "change": None if since is None else since.change,
        "change_low": None if since is None else since.low,
        "change_high": None if since is None else since.high,
    }
