"""Pauses: registering, texts or calls are stopped for a while, and go on by themselves."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field
from starlette.responses import JSONResponse, Response

from callback.decisions import reasons
from callback.decisions.acts import pausing
from callback.decisions.acts.pausing import LONGEST_US, NoSuchPause, NoSuchQueue, NotForYou
from callback.decisions.batch import NoReason
from callback.site.pauses import EVERY_QUEUE, Pause, What
from callback.site.work import Work
from callback.store.engine import HIGHEST
from callback.web.api import values
from callback.web.api.access import Switching
from callback.web.api.documented import PREFIX, problems
from callback.web.api.problems import Problem, not_found
from callback.web.api.values import Id, Name, Said, Shown, Text, Time
from scheduler.clock import MINUTE, SECOND

router = APIRouter(prefix=PREFIX, tags=["switches"])

OfPause = Annotated[int, Path(ge=1, le=HIGHEST, description="The number of the pause.")]


class Wish(Said):
    """What is to be stopped, where, and for how long."""

    what: What
    queue: Name | None = Field(None, description="Without it: every queue, which a token of some groups may not stop.")
    for_s: Annotated[int, Field(ge=MINUTE // SECOND, le=LONGEST_US // SECOND)] = 3600
    why: Text = Field(examples=["the announcement is recorded anew"])


class Paused(Shown):
    """What is stopped, until when, by whom and why."""

    id: Id
    what: What
    queue: str | None = Field(description="None: every queue.")
    since_at: Time
    until_at: Time
    who: str
    why: str


class Pauses(Shown):
    """The pauses that hold now, the first to end first."""

    items: list[Paused]


@router.get("/switches", response_model=Pauses, summary="What is paused", responses=problems(),
            operation_id="list_switches")  # fmt: skip
def listed(caller: Switching) -> Response:
    """List what is stopped now, in the token's groups and in all queues."""

    def look(work: Work) -> list[dict[str, Any]]:
        return [
            _shown(one, work)
            for one in work.site.pauses
            if caller.groups is None
            or one.queue == EVERY_QUEUE
            or work.site.rules.queue(one.queue).group in caller.groups
        ]

    return JSONResponse({"items": caller.api.look(look)})


@router.post("/switches", status_code=201, response_model=Paused, summary="Pause something",
             responses=problems(400), operation_id="pause")  # fmt: skip
def pause(caller: Switching, wish: Wish) -> Response:
    """Stop registering, texts or calls for a while; one that holds there already gives way to this one."""
    by, queue = caller.by(reasons.said(wish.why)), wish.queue or EVERY_QUEUE

    def do(work: Work) -> dict[str, Any]:
        made = pausing.pause(work, wish.what, queue, by, groups=caller.groups, for_us=wish.for_s * SECOND)
        return _shown(made, work)

    try:
        return JSONResponse(caller.api.act(do), 201)
    except (NoSuchQueue, NotForYou) as error:
        raise Problem(422, "unknown-queue", "no such queue is known here", "name one of the settings") from error
    except NoReason as error:
        raise Problem(422, "reason-needed", str(error), "say `why`") from error


@router.delete("/switches/{pause}", response_model=Paused, summary="Let it go on", responses=problems(404),
               operation_id="end_pause")  # fmt: skip
def end(caller: Switching, pause: OfPause) -> Response:
    """Let what was stopped go on before its time."""

    def do(work: Work) -> dict[str, Any]:
        return _shown(pausing.end(work, pause, caller.by(), caller.groups), work)

    try:
        return JSONResponse(caller.api.act(do))
    except NoSuchPause as error:
        raise not_found() from error


def _shown(one: Pause, work: Work) -> dict[str, Any]:
    zone = work.site.hours.zone
    return {
        "id": one.id,
        "what": one.what,
        "queue": one.queue or None,
        "since_at": values.rfc3339(one.since_at, zone),
        "until_at": values.rfc3339(one.until_at, zone),
        "who": one.who,
        "why": one.why,
    }
