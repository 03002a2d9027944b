"""What needs people: texts of customers that somebody has to read, and losses with one cause."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import Field
from starlette.responses import JSONResponse, Response

from callback.decisions import reasons, replies
from callback.decisions.acts import incidents as acts
from callback.decisions.batch import NoReason
from callback.decisions.reasons import NONE_GIVEN
from callback.decisions.undoing import NoSuchBatch, NotUndone
from callback.losses.incidents import NoSuchIncident
from callback.reports import answers, incidents
from callback.reports.answers import Answer as Open
from callback.reports.incidents import Incident as Standing
from callback.site.work import Work
from callback.store.engine import HIGHEST
from callback.web.api import values
from callback.web.api.access import Caller, Deciding, Reading
from callback.web.api.documented import PREFIX, problems
from callback.web.api.once import Answer, once
from callback.web.api.problems import Problem, not_found
from callback.web.api.routes.reservations import Key
from callback.web.api.values import Id, Said, Shown, Text, Time

router = APIRouter(prefix=PREFIX, tags=["answers and incidents"])

MOST = 200
OfAnswer = Annotated[int, Path(ge=1, le=HIGHEST, description="The number of the text.")]
OfIncident = Annotated[int, Path(ge=1, le=HIGHEST, description="The number of the incident.")]
OfDecision = Annotated[int, Path(ge=1, le=HIGHEST, description="The number of the decision.")]


class CustomersText(Shown):
    """A text of a customer that a person has still to read."""

    id: Id
    number: str | None = Field(description="Masked, unless the token has the scope `numbers:read`.")
    reservation: int | None
    received_at: Time
    wish: str = Field(description="What it seems to wish, in a word.")
    body: str


class Answers(Shown):
    """Texts, the oldest first."""

    items: list[CustomersText]


class Done(Shown):
    """The text that is dealt with."""

    id: Id
    done: bool


class Incident(Shown):
    """Losses with one cause; nobody is called or texted for them while it holds them."""

    id: Id
    queue: str
    reason: str
    trunk: str
    state: str
    opened_at: Time
    last_lost_at: Time
    ended_at: Time | None
    losses: int
    held: int
    let_go: int


class Incidents(Shown):
    """Open ones, and then those that were over last; the newest first."""

    items: list[Incident]


class Choice(Said):
    """What is to become of all whom it holds."""

    decision: Literal["released", "dropped"] = Field(
        description="`released`: called one after another; `dropped`: cancelled."
    )
    why: Text | None = Field(None, description="`dropped` needs a reason.")


class Chosen(Shown):
    """What was decided; it is done at `undo_until`."""

    decision: Id
    incident: Id
    choice: str
    undo_until: Time


@router.get("/answers", response_model=Answers, summary="Texts to be read", responses=problems(),
            operation_id="list_answers")  # fmt: skip
def listed(caller: Reading) -> Response:
    """List the texts of customers that a person has still to read, the oldest first: 200 at most."""

    def look(work: Work) -> list[dict[str, Any]]:
        zone, whole = work.site.hours.zone, caller.sees_numbers
        return [
            {
                "id": one.answer,
                "number": None if one.number is None else values.number(one.number, whole=whole),
                "reservation": one.reservation,
                "received_at": values.rfc3339(one.received_at, zone),
                "wish": one.wish,
                "body": values.plain(one.body, zone, whole=whole),
            }
            for one in _theirs(work, caller)
        ]

    return JSONResponse({"items": caller.api.look(look)})


@router.post("/answers/{answer}/done", response_model=Done, summary="A text is dealt with", responses=problems(404),
             operation_id="finish_answer")  # fmt: skip
def done(caller: Deciding, answer: OfAnswer) -> Response:
    """Say that a text is dealt with: it leaves the list."""

    def do(work: Work) -> None:
        if answer not in {one.answer for one in _theirs(work, caller)}:
            raise not_found()
        if not replies.done(work.connection, work.pbx, answer, caller.token.user, work.now):
            raise not_found()

    caller.api.act(do)
    return JSONResponse({"id": answer, "done": True})


def _theirs(work: Work, caller: Caller) -> list[Open]:
    """Those about reservations of the token's groups; who sees all groups sees those about none, too."""
    every = answers.open_answers(work, MOST)
    if caller.groups is None:
        return every
    about = [one.reservation for one in every if one.reservation is not None]
    theirs = {row.reservation for row in caller.api.figures.queue(work).by_id(about, caller.groups)}
    return [one for one in every if one.reservation in theirs]


@router.get("/incidents", response_model=Incidents, summary="Losses with one cause", responses=problems(),
            operation_id="list_incidents")  # fmt: skip
def all_incidents(caller: Reading) -> Response:
    """List the incidents of the token's groups."""

    def look(work: Work) -> list[dict[str, Any]]:
        every = [*incidents.still_open(work, caller.groups), *incidents.over(work, caller.groups)]
        return [_incident(one, work) for one in every]

    return JSONResponse({"items": caller.api.look(look)})


def _incident(one: Standing, work: Work) -> dict[str, Any]:
    queue, reason, trunk = one.parts
    zone = work.site.hours.zone
    return {
        "id": one.incident,
        "queue": queue,
        "reason": reason,
        "trunk": trunk,
        "state": one.state,
        "opened_at": values.rfc3339(one.opened_at, zone),
        "last_lost_at": values.rfc3339(one.last_lost_at, zone),
        "ended_at": None if one.ended_at is None else values.rfc3339(one.ended_at, zone),
        "losses": one.losses,
        "held": one.held,
        "let_go": one.let_go,
    }


@router.post(
    "/incidents/{incident}/decisions", status_code=202, response_model=Chosen, summary="Decide about an incident",
    responses={202: {"links": {"undo": {"operationId": "undo_incident_decision", "parameters": {
        "incident": "$response.body#/incident", "decision": "$response.body#/decision",
    }}}}, **problems(400, 404, 409)},
    operation_id="decide_incident",
)  # fmt: skip
def decide(caller: Deciding, incident: OfIncident, choice: Choice, key: Key) -> Response:
    """Let go, or drop, all whom an open incident holds: from 15 seconds on, when it cannot be undone any more."""
    by = caller.by(reasons.said(choice.why) if choice.why else NONE_GIVEN)

    def do(work: Work) -> Answer:
        chosen = acts.decide(work, incident, choice.decision, by, caller.groups)
        until = values.rfc3339(chosen.undo_until_at, work.site.hours.zone)
        body = {"decision": chosen.batch, "incident": incident, "choice": choice.decision, "undo_until": until}
        return Answer(202, body)

    try:
        return once(caller, key, {"incident": incident, **choice.model_dump()}, do)
    except NoSuchIncident as error:
        raise not_found() from error
    except NoReason as error:
        raise Problem(422, "reason-needed", str(error), "say `why`") from error


@router.delete(
    "/incidents/{incident}/decisions/{decision}", response_model=Done, summary="Undo a decision about an incident",
    responses=problems(404, 409), operation_id="undo_incident_decision",
)  # fmt: skip
def undo(caller: Deciding, incident: OfIncident, decision: OfDecision) -> Response:
    """Let the incident hold again whom it held; for 15 seconds, and unless somebody decided since."""

    def do(work: Work) -> None:
        if acts.undo(work, decision, caller.by(NONE_GIVEN), caller.groups) != incident:
            raise not_found()

    try:
        caller.api.act(do)
    except NoSuchBatch as error:
        raise not_found() from error
    except NotUndone as error:
        raise Problem(409, "not-undone", str(error)) from error
    return JSONResponse({"id": decision, "done": True})
