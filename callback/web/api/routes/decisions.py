"""Decisions about one reservation, by the revision that was seen; and their undo."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Header, Path
from pydantic import Field
from starlette.responses import JSONResponse, Response

from callback.attempts import snapshot
from callback.decisions import batch as deciding
from callback.decisions import reasons, records, undoing
from callback.decisions.batch import NoReason
from callback.decisions.reasons import NONE_GIVEN
from callback.decisions.records import CLOSING, Action, Asked, Batch
from callback.decisions.undoing import NoSuchBatch, NotUndone
from callback.logs.masking import masked_text
from callback.site.work import Work
from callback.store.engine import HIGHEST
from callback.web.api import values
from callback.web.api.access import Caller, Deciding
from callback.web.api.documented import PREFIX, problems
from callback.web.api.once import Answer, once
from callback.web.api.problems import Problem, not_found
from callback.web.api.routes.reservations import Key, OfReservation, Reservation, etag, one
from callback.web.api.values import Id, Instant, Said, Shown, Text, Time
from scheduler.clock import SECOND

router = APIRouter(prefix=PREFIX, tags=["decisions"])

Act = Literal["hold", "resume", "call-now", "slot", "postpone", "assign", "cancel", "done-elsewhere", "not-lost"]
Revision = Annotated[
    str,
    Header(
        alias="If-Match", pattern=r'^"[0-9]{1,15}"$', examples=['"9"'],
        description="The revision that was seen, as `ETag` gave it.",
    ),
]  # fmt: skip
OfDecision = Annotated[int, Path(ge=1, le=HIGHEST, description="The number of the decision.")]
_CLOSES: Final = tuple(CLOSING)


class Wish(Said):
    """What is to be done, and what that needs."""

    act: Act
    why: Text | None = Field(
        None, description="The reason, or its short word (asked, spoken, mistake …); what closes needs one."
    )
    at: Instant | None = Field(None, description="Of `slot`: when the customer wishes to be called.")
    until: Instant | None = Field(None, description="Of `postpone`: not called before that.")
    to: Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")] | None = Field(
        None, description="Of `assign`: the person; empty: nobody."
    )


class Decision(Shown):
    """What was decided, and until when it can be undone."""

    decision: Id
    act: Act
    undo_until: Time
    reservation: Reservation


class Undone(Shown):
    """The decision that was undone, and how the reservation stands."""

    decision: Id
    act: str
    reservation: Reservation


@router.post(
    "/reservations/{reservation}/decisions", response_model=Decision, summary="Decide about a reservation",
    responses={
        200: {"description": "It is done.", "links": {"undo": {
            "operationId": "undo_decision", "parameters": {
                "reservation": "$response.body#/reservation/id", "decision": "$response.body#/decision",
            },
        }}},
        202: {"model": Decision, "description": "It is held, and closed at `undo_until`."},
        **problems(400, 404, 409, 412, 428),
    },
    operation_id="decide_reservation",
)  # fmt: skip
def decide(caller: Deciding, reservation: OfReservation, wish: Wish, key: Key, if_match: Revision) -> Response:
    """Do one act about it, as people do at the console; it can be undone for 15 seconds.

    What closes it (`cancel`, `done-elsewhere`, `not-lost`) holds it first, and closes it when that time is over.
    """
    revision = int(if_match[1:-1])
    said = reasons.said(wish.why) if wish.why else NONE_GIVEN
    about = {"decide": reservation, "revision": revision, **wish.model_dump()}

    def do(work: Work) -> Answer:
        if wish.act in _CLOSES:
            _must_be_heard(work)
        if not records.seen(work, [reservation], caller.groups):
            raise not_found()
        asked = [Asked(reservation, revision)]
        done = deciding.decide(work, wish.act, asked, caller.by(said), at=_time(wish), to=wish.to, groups=caller.groups)
        return _answer(work, caller, wish.act, done, revision)

    try:
        return once(caller, key, about, do)
    except NoReason as error:
        raise Problem(422, "reason-needed", str(error), "say `why`") from error


@router.delete(
    "/reservations/{reservation}/decisions/{decision}", response_model=Undone, summary="Undo a decision",
    responses=problems(404, 409), operation_id="undo_decision",
)  # fmt: skip
def undo(caller: Deciding, reservation: OfReservation, decision: OfDecision) -> Response:
    """Let the reservation stand again as it was; for 15 seconds, and unless somebody changed it since."""

    def do(work: Work) -> dict[str, Any]:
        kept = records.kept(work, decision, caller.groups)
        if kept is None or kept.many != 1:
            raise not_found()
        undone = undoing.undo(work, decision, caller.by(NONE_GIVEN), groups=caller.groups)
        if reservation not in {*undone.undone, *(one.reservation for one in undone.refused)}:
            raise not_found()
        if undone.refused:
            why = undone.refused[0].why
            raise Problem(409, why, f"reservation {reservation} is not put back: {why}", "read it as it stands now")
        return {"decision": decision, "act": undone.action, "reservation": one(work, caller, reservation)}

    try:
        return JSONResponse(caller.api.act(do))
    except NoSuchBatch as error:
        raise not_found() from error
    except NotUndone as error:
        raise Problem(409, "not-undone", str(error)) from error


def _time(wish: Wish) -> int | None:
    said = {"slot": wish.at, "postpone": wish.until}.get(wish.act)
    if said is None and wish.act in {"slot", "postpone"}:
        needed = "at" if wish.act == "slot" else "until"
        raise Problem(422, "bad-request", f"{wish.act} needs the time `{needed}`")
    return None if said is None else values.instant_of(said)


def _must_be_heard(work: Work) -> None:
    """Refuse to close anything while nobody knows what has become of it."""
    picture = snapshot.recall(work.connection, work.pbx)
    if picture is None or work.now - picture[1] > snapshot.STALE_S * SECOND:
        raise Problem(503, "no-data", "the service is not running", "`callback doctor` says the remedy")
    if picture[0].closed == "pbx-not-connected":
        raise Problem(503, "no-data", "the PBX is not heard", "`callback doctor` says the remedy")


def _answer(work: Work, caller: Caller, act: Action, done: Batch, revision: int) -> Answer:
    if done.id is None:
        raise _refused(work, done, revision)
    reservation = done.done[0]
    body = one(work, caller, reservation, kept=True)
    until = values.rfc3339(done.undo_until_at, work.site.hours.zone)
    shown = {"decision": done.id, "act": act, "undo_until": until, "reservation": body}
    return Answer(202 if act in _CLOSES else 200, shown, etag(body))


def _refused(work: Work, done: Batch, revision: int) -> Problem:
    """412 where it was changed since it was seen, whatever else holds; 409 where it is not possible as it stands."""
    refusal = done.refused[0]
    stands = records.seen(work, [refusal.reservation], None)[0]
    by = "" if refusal.change is None else f", by {refusal.change.who}: {refusal.change.what}"
    if stands.revision != revision:
        detail = f"reservation {stands.id} was changed since revision {revision}{by}"
        return Problem(412, refusal.why, detail, "read it again, and decide anew", {"ETag": f'"{stands.revision}"'})
    detail = masked_text(refusal.sentence) or f"reservation {stands.id} is {stands.state}{by}"
    return Problem(409, refusal.why, detail, "read it as it stands now")
