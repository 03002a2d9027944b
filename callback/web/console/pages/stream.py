"""The streams that keep pages live, and who has what open."""

from __future__ import annotations

import re
from typing import Annotated, Final

from fastapi import APIRouter, Form, HTTPException, Query
from starlette.responses import Response

from callback.web.console import gate
from callback.web.console.live.live import STREAM
from callback.web.console.live.stream import EventStream
from callback.web.console.live.viewers import TooMany
from callback.web.console.visit import Visit

router = APIRouter()

_AGAIN_S: Final = "10"
_TAB: Final = re.compile("[0-9A-Za-z-]{1,40}")
_IDS: Final = re.compile("[0-9]{1,12}(,[0-9]{1,12}){0,99}")


@router.get(STREAM)
async def several(visit: gate.Live, view: Annotated[list[str], Query()], last: str = "") -> Response:
    """Send the views of one browser's tabs."""
    return _opened(visit, view, last)


@router.get(STREAM + "/{of:path}")
async def one(visit: gate.Live, of: str) -> Response:
    """Send one view, by the address that its page has in `data-view`."""
    query = visit.request.url.query
    return _opened(visit, [f"{STREAM}/{of}?{query}" if query else f"{STREAM}/{of}"])


@router.post(f"{STREAM}/here")
def here(visit: gate.Live, tab: Annotated[str, Form()], items: Annotated[str, Form()] = "") -> Response:
    """Take which reservations a tab has open or selected; it says so again within a minute."""
    if not _TAB.fullmatch(tab) or (items and not _IDS.fullmatch(items)):
        raise HTTPException(422)
    ids = [int(id_) for id_ in items.split(",")] if items else []
    visitor = visit.visitor
    visit.live.hub.presence.here(visitor.session, tab, visitor.user, ids)
    return Response(status_code=204)


def _opened(visit: Visit, addresses: list[str], last: str = "") -> Response:
    hub = visit.live.hub
    try:
        viewer = hub.open(visit.visitor, addresses, visit.request.headers.get("last-event-id") or last)
    except TooMany as error:
        raise HTTPException(429, headers={"Retry-After": _AGAIN_S}) from error
    return EventStream(hub, viewer)
