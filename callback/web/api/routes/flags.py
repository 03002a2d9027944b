"""Flags: customers who are to be contacted on a later day."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator, Field, StringConstraints
from starlette.responses import JSONResponse, Response

from callback.care.flags import AlreadyFlagged, BadDay, Flag, FlagsOff, NoSuchFlag
from callback.customers import persons
from callback.decisions.care import flags as deciding
from callback.decisions.care.flags import Contact, NotYourQueue
from callback.errors import CallbackError, IllegalTransition
from callback.reports.care import flags as listing
from callback.reservations.follow_up import NotToBeCalled
from callback.site.work import Work
from callback.site.written import number_of
from callback.store.engine import HIGHEST
from callback.web.api import cursor, values
from callback.web.api.access import SAID, Caller, SeeingCases, WorkingOnCases
from callback.web.api.documented import PREFIX, problems
from callback.web.api.once import Answer, once
from callback.web.api.problems import Code, Problem, not_found
from callback.web.api.routes.reservations import Key
from callback.web.api.values import After, Id, Name, Number, Said, Shown, Text, Time
from scheduler.clock import local

router = APIRouter(prefix=PREFIX, tags=["flags"])

_MOST: Final = 200
OfFlag = Annotated[int, Path(ge=1, le=HIGHEST, description="The number of the flag.")]


def _read(said: str) -> str:
    date.fromisoformat(said)
    return said


Day = Annotated[
    str,
    StringConstraints(pattern=r"^2[0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"),
    AfterValidator(_read),
    Field(json_schema_extra={"format": "date"}, examples=["2026-12-24"]),
]


class Flagging(Said):
    """Who is to be contacted, on which day, and why."""

    number: Number
    queue: Name = Field(description="The queue whose agents call.", examples=["support"])
    day: Day = Field(description="On the site's calendar.")
    why: Text = Field(description="The reason: whoever calls reads it.", examples=["asks whether the line holds"])
    owner: Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")] = Field(
        "", description="Who looks after it; empty: the program."
    )


class ShownFlag(Shown):
    """A flag as it stands."""

    id: Id
    number: str = Field(
        description="Masked, unless the token has the scope `numbers:read`; in answers that are kept, always."
    )
    queue: str
    day: str = Field(json_schema_extra={"format": "date"})
    why: str
    owner: str
    by: str
    made_at: Time
    state: Literal["waiting", "reserved", "cancelled", "refused"]
    reservation: int | None = Field(description="The callback that it became.")
    why_not: str = Field(description="Why it could not become one, in a word.")


class Flags(Shown):
    """Some flags; `after` of the next page, none on the last."""

    items: list[ShownFlag]
    after: str | None


class Filter(Said):
    """Which ones."""

    model_config = Said.model_config | {"strict": False}
    state: Literal["waiting", "over"] = "waiting"
    limit: Annotated[int, Field(ge=1, le=_MOST)] = 50
    after: After = Field(None, description="As the page before gave it, with the same filter.")


def shown(work: Work, caller: Caller, flag: Flag, *, kept: bool = False) -> dict[str, Any]:
    """Give a flag for a program."""
    zone, sees = work.site.hours.zone, caller.sees_numbers and not kept
    about: dict[str, Any] = {
        "id": flag.id, "queue": flag.queue, "day": local(flag.on_at, zone).date().isoformat(),
        "why": flag.reason, "owner": flag.owner, "by": flag.who, "made_at": flag.made_at, "state": flag.state,
        "reservation": flag.reservation_id, "why_not": flag.why_not,
    }  # fmt: skip
    plain: dict[str, Any] = values.plain(about, zone, whole=sees)
    return {**plain, "number": values.number(flag.e164, whole=sees)}


_REFUSED: Final[dict[type[CallbackError], tuple[int, Code, str]]] = {
    FlagsOff: (409, "flags-off", "switch care.flags on for the queue"),
    NotYourQueue: (422, "unknown-queue", "`callback queue` lists them"),
    BadDay: (422, "bad-day", "name a day from today on, within a year"),
    AlreadyFlagged: (409, "already-flagged", "cancel that flag first"),
    NotToBeCalled: (422, "number-refused", "look at docs/numbers.md"),
}


@router.post(
    "/flags", status_code=201, response_model=ShownFlag, summary="Flag a customer for a later day",
    responses={201: {"description": "It waits for its day.", "links": {
        "cancel": {"operationId": "cancel_flag", "parameters": {"flag": "$response.body#/id"}},
    }}, **problems(400, 409)},
    operation_id="flag_customer",
)  # fmt: skip
def flag(caller: WorkingOnCases, flagging: Flagging, key: Key) -> Response:
    """Have a customer called on that day: it becomes a callback, from the opening on, within hours and caps."""
    e164 = number_of(caller.api.settings, flagging.number)
    if e164 is None:
        raise Problem(422, "number-refused", "that is no number, or may be several", "write it with its country")
    contact = Contact(flagging.queue, date.fromisoformat(flagging.day), flagging.owner)

    def do(work: Work) -> Answer:
        person = persons.person_of(work.connection, e164, work.now)
        made = deciding.flag(work, person, contact, caller.by(flagging.why), caller.groups)
        return Answer(201, shown(work, caller, made, kept=True))

    try:
        return once(caller, key, {"flag": flagging.model_dump()}, do)
    except tuple(_REFUSED) as error:
        status, code, remedy = _REFUSED[type(error)]
        raise Problem(status, code, str(error), remedy) from error


@router.get("/flags", response_model=Flags, summary="List flags", responses=problems(), operation_id="list_flags")
def listed(caller: SeeingCases, wanted: Annotated[Filter, Query()]) -> Response:
    """List those that wait, by their days; or those that are over, the last flagged first."""
    about = f"flags {wanted.state}"

    def look(work: Work) -> dict[str, Any]:
        place = None if wanted.after is None else cursor.opened(work, wanted.after, about)
        read = listing.over if wanted.state == "over" else listing.to_come
        found, after = read(work, caller.groups, None if place is None else (place[0], place[1]), wanted.limit)
        sealed = None if after is None else cursor.sealed(work, after, about)
        return {"items": [shown(work, caller, one) for one in found], "after": sealed}

    return JSONResponse(caller.api.look(look))


@router.delete(
    "/flags/{flag}", response_model=ShownFlag, summary="Cancel a flag", responses=problems(404, 409),
    operation_id="cancel_flag",
)  # fmt: skip
def cancel(caller: WorkingOnCases, flag: OfFlag) -> Response:
    """Contact this customer no more; a callback that it became, and that was not made yet, is cancelled."""

    def do(work: Work) -> dict[str, Any]:
        return shown(work, caller, deciding.cancel(work, flag, caller.by(SAID), caller.groups))

    try:
        return JSONResponse(caller.api.act(do))
    except NoSuchFlag as error:
        raise not_found() from error
    except IllegalTransition as error:
        raise Problem(409, "not-possible", str(error), "read it as it stands now") from error
