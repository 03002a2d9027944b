"""The samples of a campaign: drawn by a seed, who is called for it, the scores, and the result with its interval."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, HTTPException
from starlette.responses import RedirectResponse, Response

from callback.campaigns.asking import WHY_BLANK, Blank, NotAsked
from callback.campaigns.campaign import NoSuchCampaign
from callback.campaigns.sample import USUAL_DAYS, NoSample, Wish
from callback.decisions.campaigns import sampling
from callback.decisions.reasons import NONE_GIVEN
from callback.errors import CallbackError
from callback.reports.campaigns import asked, progress, results
from callback.reports.campaigns.asked import WHICH, Which
from callback.site.work import Work
from callback.store.audit import By
from callback.web.console import gate
from callback.web.console.number import Number, number_in
from callback.web.console.visit import Visit
from scheduler.sampling import HIGHEST, LOWEST

router = APIRouter()
Text = Annotated[str, Form()]
SCORES: Final = range(LOWEST, HIGHEST + 1)


@router.get("/campaigns/{number}/sample")
def samples(visit: gate.CampaignLook, number: Number) -> Response:
    """Show what the samples say, and draw one."""
    return _results(visit, number)


@router.post("/campaigns/{number}/sample")
def draw(visit: gate.Campaign, number: Number, size: Text = "", seed: Text = "", days: Text = "") -> Response:
    """Draw one: by this seed, or by one that nobody chose."""
    by, groups = By(visit.viewer.user, NONE_GIVEN), visit.viewer.groups
    try:
        wish = Wish(
            seed=sampling.new_seed() if not seed.strip() else _whole(seed),
            size=None if not size.strip() else _whole(size),
            days=USUAL_DAYS if not days.strip() else _whole(days),
        )
        drawn = visit.act(lambda work: sampling.draw(work, number, wish, by, groups))
    except NoSuchCampaign:
        raise
    except CallbackError as error:
        return _results(visit, number, str(error))
    return RedirectResponse(f"/campaigns/{number}/sample/{drawn.round}", 303)


@router.get("/campaigns/{number}/sample/{of}")
def people(visit: gate.CampaignLook, number: Number, of: Number, show: str = "to-score", after: str = "") -> Response:
    """Show who was drawn, those to be scored first."""
    return _people(visit, number, of, show, after)


@router.post("/campaigns/{number}/sample/{of}/call-off")
def call_off(visit: gate.Campaign, number: Number, of: Number) -> Response:
    """Call nobody of it any more."""
    by, groups = By(visit.viewer.user, NONE_GIVEN), visit.viewer.groups
    visit.act(lambda work: sampling.call_off(work, number, of, by, groups))
    return RedirectResponse(f"/campaigns/{number}/sample/{of}?show=blank", 303)


@router.post("/campaigns/{number}/sample/{of}/{person}")
def score(visit: gate.Care, number: Number, of: Number, person: Number, said: Text = "") -> Response:
    """Keep what somebody said, or why nothing."""
    by, groups = By(visit.viewer.user, NONE_GIVEN), visit.viewer.groups
    try:
        visit.act(lambda work: sampling.score(work, (number, of, person), _said(said), by, groups))
    except NotAsked as error:
        raise HTTPException(404) from error
    except NoSuchCampaign:
        raise
    except CallbackError as error:
        return _people(visit, number, of, "to-score", "", str(error))
    return RedirectResponse(f"/campaigns/{number}/sample/{of}", 303)


@router.get("/asked/{number}")
def callback(visit: gate.RegisterCase, number: Number) -> Response:
    """Ask an agent what the customer of this callback said."""
    return _callback(visit, number)


@router.post("/asked/{number}")
def score_callback(visit: gate.RegisterCase, number: Number, said: Text = "") -> Response:
    """Keep it."""
    by, groups = By(visit.viewer.user, NONE_GIVEN), visit.viewer.groups

    def keep(work: Work) -> None:
        person = asked.of_callback(work, number)
        if person is None:
            raise HTTPException(404)
        sampling.score(work, asked.key(person), _said(said), by, groups)

    try:
        visit.act(keep)
    except NoSuchCampaign:
        raise
    except CallbackError as error:
        return _callback(visit, number, str(error))
    return RedirectResponse(f"/asked/{number}", 303)


def _callback(visit: Visit, number: int, problem: str = "") -> Response:
    groups = visit.viewer.groups

    def read(work: Work) -> dict[str, Any]:
        person = asked.of_callback(work, number)
        if person is None:
            raise HTTPException(404)
        return {"drawn": person, "one": progress.one(work, person.campaign, groups)}

    return visit.page(
        "campaigns/asked.html", 422 if problem else 200, problem=problem, scores=SCORES, blanks=WHY_BLANK,
        now=visit.console.now(), **visit.look(read),
    )  # fmt: skip


def _whole(said: str) -> int:
    found = number_in(said.strip())
    if found is None:
        raise NoSample("write whole numbers: how many people, by which seed, over how many days")
    return found


def _said(word: str) -> int | Blank:
    found = number_in(word)
    if found is not None:
        return found
    for why in WHY_BLANK:
        if why == word:
            return why
    raise CallbackError(f"choose a score from {LOWEST} to {HIGHEST}, or why there is none")


def _results(visit: Visit, number: int, problem: str = "") -> Response:
    groups = visit.viewer.groups

    def read(work: Work) -> dict[str, Any]:
        one = progress.one(work, number, groups)
        return {
            "one": one,
            "rounds": results.rounds(work, number),
            "usual": work.site.rules.campaigns.sample,
        }

    return visit.page(
        "campaigns/sample.html", 422 if problem else 200, problem=problem, now=visit.console.now(), days=USUAL_DAYS,
        may=visit.viewer.may("campaign"), **visit.look(read),
    )  # fmt: skip


def _people(visit: Visit, number: int, of: int, show: str, after: str, problem: str = "") -> Response:
    groups = visit.viewer.groups
    which: Which = next((one for one in WHICH if one == show), "to-score")
    place = _place(after)

    def read(work: Work) -> dict[str, Any]:
        one = progress.one(work, number, groups)
        drawn = next((row for row in results.rounds(work, number) if row.round == of), None)
        if drawn is None:
            raise HTTPException(404)
        return {"one": one, "drawn": drawn, "page": asked.people(work, number, of, which, place)}

    return visit.page(
        "campaigns/people.html", 422 if problem else 200, problem=problem, now=visit.console.now(), which=which,
        shows=list(WHICH), scores=SCORES, blanks=WHY_BLANK, may=visit.viewer.may("campaign"),
        may_score=visit.viewer.may("care"), **visit.look(read),
    )  # fmt: skip


def _place(after: str) -> tuple[int, int] | None:
    at, _, person = after.partition("-")
    found = number_in(at), number_in(person)
    return None if found[0] is None or found[1] is None else (found[0], found[1])
