"""What happened, from a place on: asked for again and again, waited for, or as a stream."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response, StreamingResponse

from callback.accounts import tokens
from callback.reports.programs import events
from callback.site.work import Work
from callback.store import feed
from callback.store.engine import HIGHEST
from callback.web.api import values
from callback.web.api.access import Caller, Hearing
from callback.web.api.documented import PREFIX, problems
from callback.web.api.problems import Problem
from callback.web.api.values import Id, Said, Shown, Time

router = APIRouter(prefix=PREFIX, tags=["events"])

LONGEST_S: Final = 30
STREAMS: Final = 4
"""Of one token at once."""
BEAT_S: Final = 10.0
"""So often a stream says that it lives, and looks whether its token still does."""
_open: Final = Counter[int]()


class Event(Shown):
    """One thing that happened; what more is said goes by its `type`."""

    id: Id
    type: str = Field(examples=["reserved"])
    at: Time
    reservation: int | None
    number: str | None = Field(description="Masked, unless the token has the scope `numbers:read`.")
    facts: dict[str, Any]


class Events(Shown):
    """Some events in order, and the place from which to go on."""

    items: list[Event]
    after: int


class From(Said):
    """From where, and for how long to wait where nothing is new."""

    model_config = Said.model_config | {"strict": False}
    after: Annotated[int, Field(ge=0, le=HIGHEST)] | None = Field(
        None, description="As the answer before gave it; without it, from now on."
    )
    wait_s: Annotated[int, Field(ge=0, le=LONGEST_S)] = 0
    limit: Annotated[int, Field(ge=1, le=events.MOST)] = 100


@router.get(
    "/events", response_model=Events, summary="Read what happened", responses=problems(), operation_id="read_events"
)
async def read(caller: Hearing, wanted: Annotated[From, Query()]) -> Response:
    """Read what happened after a place; where nothing did, wait for it. Events are kept for 90 days."""
    until_s = time.monotonic() + wanted.wait_s
    after = await run_in_threadpool(_end, caller) if wanted.after is None else wanted.after
    while True:
        found, more = await run_in_threadpool(_read, caller, after, wanted.limit)
        left_s = until_s - time.monotonic()
        if found["items"] or left_s <= 0 or caller.api.bell.ended:
            return JSONResponse(found)
        after = found["after"]
        if not more:
            await caller.api.bell.wait(left_s)


@router.get(
    "/events/stream", summary="Hear what happens", operation_id="stream_events",
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}, **problems()},
    response_class=StreamingResponse,
)  # fmt: skip
async def stream(
    caller: Hearing,
    after: Annotated[int | None, Query(ge=0, le=HIGHEST)] = None,
    last_event_id: Annotated[str | None, Header(pattern=r"^[0-9]{1,18}$")] = None,
) -> Response:
    """Hear what happens as server-sent events, from a place on; each has its `id`, and its JSON as `data`.

    The stream ends with the token, and with the process: go on from the last `id`, by `Last-Event-ID`.
    """
    if _open[caller.token.id] >= STREAMS:
        raise Problem(
            429, "too-fast", f"this token has {STREAMS} streams open", "end one of them", {"Retry-After": "10"}
        )
    begun = int(last_event_id) if last_event_id else after
    place = await run_in_threadpool(_end, caller) if begun is None else begun
    return StreamingResponse(lines(caller, place), media_type="text/event-stream")


async def lines(caller: Caller, after: int) -> AsyncIterator[str]:
    """Give the lines of a stream, until its token or the process ends."""
    _open[caller.token.id] += 1
    looked_s = time.monotonic()
    try:
        yield ": begins\n\n"
        while not caller.api.bell.ended:
            found, more = await run_in_threadpool(_read, caller, after, events.MOST)
            after = found["after"]
            for one in found["items"]:
                yield f"id: {one['id']}\nevent: {one['type']}\ndata: {json.dumps(one, separators=(',', ':'))}\n\n"
            if time.monotonic() - looked_s >= BEAT_S:
                looked_s = time.monotonic()
                if not await run_in_threadpool(_is_good, caller):
                    return
                yield ": lives\n\n"
            if not more:
                await caller.api.bell.wait(BEAT_S)
    except asyncio.CancelledError:
        return
    finally:
        _open[caller.token.id] -= 1


def _read(caller: Caller, after: int, most: int) -> tuple[dict[str, Any], bool]:
    """Give some events as they are answered, and whether there may be more at once."""

    def look(work: Work) -> tuple[dict[str, Any], bool]:
        page = events.page(work, after, most, caller.groups)
        zone, whole = work.site.hours.zone, caller.sees_numbers
        items = [
            {
                "id": one.id,
                "type": one.name,
                "at": values.rfc3339(one.at, zone),
                "reservation": one.reservation,
                "number": None if one.number is None else values.number(one.number, whole=whole),
                "facts": values.plain(one.facts, zone, whole=whole),
            }
            for one in page.events
        ]
        return {"items": items, "after": page.after}, page.more

    return caller.api.look(look)


def _end(caller: Caller) -> int:
    return caller.api.look(lambda work: feed.end(work.connection))


def _is_good(caller: Caller) -> bool:
    with caller.api.store.read() as connection:
        token = tokens.of_id(connection, caller.token.id)
    return token is not None and token.state(caller.api.now()) == "in-use"
