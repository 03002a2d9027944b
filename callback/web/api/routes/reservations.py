"""Reservations: asked for, listed, read, and told from the first ring on."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Header, Path, Query
from pydantic import Field
from starlette.responses import JSONResponse, Response

from callback.decisions import requesting
from callback.errors import IllegalTransition
from callback.losses.requests import BadReference, NoSuchQueue, NotCallable, Paused, Request
from callback.reports.queue import closed, lanes
from callback.reports.queue.board import Queue
from callback.reports.queue.closed import SETTLED, Ended
from callback.reports.queue.lanes import Place, Sort
from callback.reports.queue.rows import Row
from callback.reports.queue.wanted import Wanted
from callback.reports.timeline import story
from callback.reservations.slots import NotFree, TooFar
from callback.site.work import Work
from callback.store.engine import HIGHEST
from callback.web.api import cursor, values
from callback.web.api.access import Caller, Deciding, Reading
from callback.web.api.documented import PREFIX, problems
from callback.web.api.once import Answer, once
from callback.web.api.problems import Problem, not_found
from callback.web.api.values import After, Id, Instant, Name, Number, Reference, Said, Shown, Time
from scheduler.clock import SECOND
from scheduler.errors import SchedulerError

router = APIRouter(prefix=PREFIX, tags=["reservations"])

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key", min_length=1, max_length=200, pattern=r"^[!-~]+$",
        description="A new word for each thing that is asked for: the same request with it does nothing twice.",
    ),
]  # fmt: skip
OfReservation = Annotated[int, Path(ge=1, le=HIGHEST, description="The number of the reservation.")]
_MOST: Final = 200
_OPEN: Final = ("waiting", "held", "calling")


class Asking(Said):
    """Who is to be called back, and for which queue."""

    number: Number
    queue: Name = Field(description="The queue whose agents call back.", examples=["support"])
    at: Instant | None = Field(None, description="When the customer wishes to be called; else as soon as is promised.")
    reference: Reference | None = None


class WhyNot(Shown):
    """Why nobody has called yet."""

    word: str = Field(examples=["no-free-agent"])
    until_at: Time | None


class Reservation(Shown):
    """One callback that is owed, or was."""

    id: Id
    revision: int = Field(description="Raised by every change; a decision names the one that was seen.")
    state: str = Field(examples=["waiting"])
    kind: str = Field(description="How the customer was lost, or `requested`.", examples=["abandoned"])
    queue: str
    group: str
    number: str = Field(
        description="Masked, unless the token has the scope `numbers:read`; in answers that are kept, always."
    )
    reference: str | None
    assigned_to: str | None
    incident: int | None
    losses: int
    tries: int
    max_tries: int
    made_at: Time
    last_lost_at: Time
    aim_at: Time
    deadline_at: Time
    due_at: Time = Field(description="Nobody is called before that.")
    slot_at: Time | None = Field(description="The time that the customer chose, until it was tried.")
    state_since_at: Time
    left_s: int = Field(description="Seconds until the deadline; below 0 once it has passed.")
    why: WhyNot | None = Field(description="None once it is closed.")


class Listed(Shown):
    """Some reservations; `after` of the next page, none on the last."""

    items: list[Reservation]
    after: str | None


class Filter(Said):
    """Which ones."""

    model_config = Said.model_config | {"strict": False}
    state: Literal["open", "waiting", "held", "calling", "closed"] = "open"
    queue: Name | None = Field(None)
    owner: Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")] | None = Field(
        None, description="Of open ones, those of this person; empty: nobody's."
    )
    reference: Reference | None = None
    limit: Annotated[int, Field(ge=1, le=_MOST)] = 50
    after: After = Field(None, description="As the page before gave it, with the same filter.")

    @property
    def about(self) -> str:
        """What a cursor is sealed for."""
        return self.model_dump_json(exclude={"after", "limit"})


class Entry(Shown):
    """One thing that happened; what more is said goes by `what`."""

    model_config = Shown.model_config | {"extra": "allow"}
    what: str = Field(examples=["promise"])
    whose: Literal["customer", "us", "people", "machine"]
    at: Time


class Timeline(Shown):
    """All that happened, in order."""

    items: list[Entry]


def shown(row: Row, zone: ZoneInfo, *, whole: bool) -> dict[str, Any]:
    """Give a reservation for a program."""

    def time(at: int | None) -> str | None:
        return None if at is None else values.rfc3339(at, zone)

    why = {"word": row.why.word, "until_at": time(row.why.until_at)}
    return {
        "id": row.reservation,
        **{
            name: getattr(row, name)
            for name in (
                *("revision", "state", "kind", "queue", "group", "reference", "assigned_to", "incident"),
                *("losses", "tries", "max_tries", "left_s"),
            )
        },
        **{
            name: time(getattr(row, name))
            for name in (*("made_at", "last_lost_at", "aim_at", "deadline_at", "due_at", "slot_at", "state_since_at"),)
        },
        "number": values.number(row.number, whole=whole),
        "why": why if row.state in _OPEN else None,
    }


def one(work: Work, caller: Caller, reservation: int, *, kept: bool = False) -> dict[str, Any]:
    """Read one reservation; in an answer that is `kept`, the number is masked. 404 where it is another group's."""
    found = caller.api.figures.queue(work).by_id([reservation], caller.groups)
    if not found:
        raise not_found()
    return shown(found[0], work.site.hours.zone, whole=caller.sees_numbers and not kept)


def etag(body: dict[str, Any]) -> dict[str, str]:
    """The header that names a reservation's revision."""
    return {"ETag": f'"{body["revision"]}"'}


_ETAG: Final = {"ETag": {"schema": {"type": "string"}, "description": "The revision, for `If-Match`."}}


@router.post(
    "/reservations", status_code=201, response_model=Reservation, summary="Ask for a callback",
    responses={
        200: {"model": Reservation, "description": "One was open already: it stays as it is.", "headers": _ETAG},
        201: {"description": "It is promised.", "headers": _ETAG, "links": {
            "read": {"operationId": "read_reservation", "parameters": {"reservation": "$response.body#/id"}},
            "timeline": {"operationId": "read_timeline", "parameters": {"reservation": "$response.body#/id"}},
        }},
        **problems(400, 409),
    },
    operation_id="register_reservation",
)  # fmt: skip
def register(caller: Deciding, asking: Asking, key: Key) -> Response:
    """Have a customer called back who did not call, promised as for one who asked for it.

    One that is open for that customer in that queue is given instead, as it is. It never dials or texts where callbacks
    and texts are not switched on.
    """
    at = None if asking.at is None else values.instant_of(asking.at)

    def do(work: Work) -> Answer:
        wanted = Request(asking.number, asking.queue, asking.reference, caller.groups)
        registered = requesting.register(work, wanted, caller.by(), at)
        body = one(work, caller, registered.reservation, kept=True)
        where = {"Location": f"/api/v1/reservations/{registered.reservation}"}
        return Answer(201 if registered.made else 200, body, etag(body) | where)

    try:
        return once(caller, key, {"register": asking.model_dump()}, do)
    except NoSuchQueue as error:
        raise Problem(422, "unknown-queue", str(error), "`callback queue` lists them") from error
    except Paused as error:
        wait_s = max(1, (error.until_at - caller.api.now()) // SECOND)
        raise Problem(409, "paused", str(error), "", {"Retry-After": str(wait_s)}) from error
    except NotCallable as error:
        raise Problem(422, "number-refused", f"{error} ({error.why})", "look at docs/numbers.md") from error
    except BadReference as error:
        raise Problem(422, "reference-refused", str(error)) from error
    except TooFar as error:
        raise Problem(409, "too-far", str(error)) from error
    except NotFree as error:
        raise Problem(409, "full", str(error)) from error
    except (SchedulerError, IllegalTransition) as error:
        raise Problem(409, "outside-hours", str(error)) from error


@router.get(
    "/reservations", response_model=Listed, summary="List reservations", responses=problems(),
    operation_id="list_reservations",
)  # fmt: skip
def listed(caller: Reading, wanted: Annotated[Filter, Query()]) -> Response:
    """List those that are open, the newest first; or those that are closed, the last closed first."""
    return JSONResponse(caller.api.look(lambda work: _page(work, caller, wanted)))


def _page(work: Work, caller: Caller, wanted: Filter) -> dict[str, Any]:
    place = None if wanted.after is None else cursor.opened(work, wanted.after, wanted.about)
    if wanted.reference is not None:
        rows, after = _of_reference(work, caller, wanted, place)
    elif wanted.state == "closed":
        rows, after = _closed(work, caller, wanted, place)
    else:
        rows, after = _open(work, caller, wanted, place)
    zone, whole = work.site.hours.zone, caller.sees_numbers
    sealed = None if after is None else cursor.sealed(work, after, wanted.about)
    return {"items": [shown(row, zone, whole=whole) for row in rows], "after": sealed}


def _open(work: Work, caller: Caller, wanted: Filter, place: list[Any] | None) -> tuple[list[Row], list[Any] | None]:
    asked = Wanted(
        queues=frozenset() if wanted.queue is None else frozenset({wanted.queue}),
        states=frozenset() if wanted.state == "open" else frozenset({wanted.state}),
        whose=frozenset() if wanted.owner is None else frozenset({wanted.owner}),
        groups=caller.groups,
    )
    after = None if place is None else Place(*place)
    page = caller.api.figures.queue(work).page(Sort.NEWEST, asked, wanted.limit, after)
    return list(page.rows), None if page.after is None else list(asdict(page.after).values())


def _closed(work: Work, caller: Caller, wanted: Filter, place: list[Any] | None) -> tuple[list[Row], list[Any] | None]:
    asked = Wanted(queues=frozenset() if wanted.queue is None else frozenset({wanted.queue}), groups=caller.groups)
    after = None if place is None else Ended(*place)
    page = closed.page(work, SETTLED, asked, wanted.limit, None, after)
    return list(page.rows), None if page.after is None else [page.after.closed_at, page.after.reservation]


def _of_reference(
    work: Work, caller: Caller, wanted: Filter, place: list[Any] | None
) -> tuple[list[Row], list[Any] | None]:
    before = HIGHEST if place is None else place[0]
    found = lanes.of_reference(work, wanted.reference or "", caller.groups, wanted.limit + 1, before)
    chosen = found[: wanted.limit]
    rows = Queue(work).by_id(chosen, caller.groups)
    return rows, [chosen[-1]] if len(found) > len(chosen) else None


@router.get(
    "/reservations/{reservation}", response_model=Reservation, summary="Read a reservation",
    responses={200: {"headers": _ETAG, "links": {
        "decide": {
            "operationId": "decide_reservation", "parameters": {
                "reservation": "$response.body#/id", "header.If-Match": "$response.header.ETag",
            },
        },
    }}, **problems(404)},
    operation_id="read_reservation",
)  # fmt: skip
def read(caller: Reading, reservation: OfReservation) -> Response:
    """Read it as it stands, with the revision that a decision about it names."""
    body = caller.api.look(lambda work: one(work, caller, reservation))
    return JSONResponse(body, headers=etag(body))


@router.get(
    "/reservations/{reservation}/timeline", response_model=Timeline, summary="Read all that happened",
    responses=problems(404), operation_id="read_timeline",
)  # fmt: skip
def timeline(caller: Reading, reservation: OfReservation) -> Response:
    """Read all that happened to it, from the customer's first ring on: calls, verdicts, promises, texts, decisions."""

    def look(work: Work) -> list[Any]:
        queue = caller.api.figures.queue(work)
        found = story.of_reservation(work, reservation, caller.groups, queue)
        if found is None:
            raise not_found()
        zone = work.site.hours.zone
        return [values.plain(entry.as_json(), zone, whole=caller.sees_numbers) for entry in found.entries]

    return JSONResponse({"items": caller.api.look(look)})
