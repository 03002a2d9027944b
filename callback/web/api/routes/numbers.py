"""Numbers: looked up, blocked, and let go. They stand in the body alone: an address is kept in many places."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import JSONResponse, Response

from callback.customers import blocks
from callback.decisions import actions, reasons
from callback.reports.programs import numbers
from callback.site.work import Work
from callback.web.api import values
from callback.web.api.access import Blocking, Caller, LookingUp
from callback.web.api.documented import PREFIX, problems
from callback.web.api.problems import Problem
from callback.web.api.routes.reservations import Reservation, shown
from callback.web.api.values import Number, Said, Shown, Text

router = APIRouter(prefix=PREFIX, tags=["numbers"])


class Asked(Said):
    """A number."""

    number: Number


class Known(Shown):
    """What is known of a number, and its callbacks, the newest first."""

    number: str
    known: bool = Field(description="Whether its customer called here, or was asked for.")
    shared: bool = Field(description="Whether it is many people's.")
    refused: str | None = Field(description="Why it is not called back, in a word.")
    calls_blocked: bool
    texts_blocked: bool
    reservations: list[Reservation]


class Block(Said):
    """For what a number is to be blocked, and why."""

    number: Number
    calls: bool = True
    texts: bool = True
    why: Text = Field(examples=["asked"])


class Unblock(Said):
    """For what a number is to be blocked no more, and why."""

    number: Number
    calls: bool = True
    texts: bool = True
    why: Text = Field(examples=["mistake"])


class Blocked(Shown):
    """For what a number is blocked now."""

    number: str = Field(description="Masked, unless the token has the scope `numbers:read`.")
    calls: bool
    texts: bool


@router.post("/numbers/lookup", response_model=Known, summary="Look a number up", responses=problems(400),
             operation_id="look_number_up")  # fmt: skip
def look_up(caller: LookingUp, asked: Asked) -> Response:
    """Say for what a number is blocked, and give its callbacks in the token's groups."""

    def look(work: Work) -> dict[str, Any]:
        found = numbers.look_up(work, asked.number, caller.groups)
        if found is None:
            raise _no_number()
        rows = caller.api.figures.queue(work).by_id(found.reservations, caller.groups)
        return {
            "number": found.e164,
            "known": found.known,
            "shared": found.shared,
            "refused": found.refused,
            "calls_blocked": found.calls_blocked,
            "texts_blocked": found.texts_blocked,
            "reservations": [shown(row, work.site.hours.zone, whole=True) for row in rows],
        }

    return JSONResponse(caller.api.look(look))


@router.post("/numbers/blocks", response_model=Blocked, summary="Block a number", responses=problems(400),
             operation_id="block_number")  # fmt: skip
def block(caller: Blocking, wanted: Block) -> Response:
    """Neither call nor text a number any more, or one of both; what any group owes to it is cancelled at once."""
    return _decided(caller, "block", wanted)


@router.post("/numbers/unblock", response_model=Blocked, summary="Take a block back", responses=problems(400),
             operation_id="unblock_number")  # fmt: skip
def unblock(caller: Blocking, wanted: Unblock) -> Response:
    """Take back a block, or a part of it; what it cancelled stays so."""
    return _decided(caller, "unblock", wanted)


def _decided(caller: Caller, act: Literal["block", "unblock"], wanted: Block | Unblock) -> Response:
    do = actions.block if act == "block" else actions.unblock
    by = caller.by(reasons.said(wanted.why))

    def decide(work: Work) -> dict[str, Any]:
        e164 = numbers.e164_of(work, wanted.number)
        if e164 is None:
            raise _no_number()
        do(work, e164, calls=wanted.calls, texts=wanted.texts, by=by)
        stands = blocks.blocked(work.connection, e164)
        number = values.number(e164, whole=caller.sees_numbers)
        return {"number": number, "calls": stands.calls, "texts": stands.texts}

    return JSONResponse(caller.api.act(decide))


def _no_number() -> Problem:
    return Problem(
        422, "number-refused", "this is no telephone number, or may be two people's", "write it with its country"
    )
