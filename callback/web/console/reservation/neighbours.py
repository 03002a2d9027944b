"""The reservation before and after one, in the order of the list that a person came from."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request

from callback.errors import CallbackError
from callback.reports.queue.board import Queue
from callback.web.console.back import parts_of
from callback.web.console.queue.asked import read
from callback.web.console.queue.content import content

LIST = "/queue"


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The one before and after; None: there is none. One that left the list has the first of it after it."""

    before: int | None
    after: int | None


def came_from(request: Request) -> str:
    """The query of the list that a person came from: carried by the address, else the page that the link stood on."""
    said = request.query_params.get("from")
    if said is not None:
        return said
    page = parts_of(request.headers.get("referer", ""))
    ours = page.netloc == request.headers.get("host") and page.path == LIST
    return page.query if ours else ""


def of(queue: Queue, number: int, query: str, groups: frozenset[str] | None) -> Neighbours:
    """Find them in the list of this query, as it is shown; one that is none has the whole queue's."""
    try:
        seen = content(queue, read(parse_qsl(query)), groups)
    except CallbackError:
        seen = content(queue, read(()), groups)
    ids = [row.reservation for page in seen.pages.values() for row in page.rows]
    if number not in ids:
        return Neighbours(None, next(iter(ids), None))
    place = ids.index(number)
    return Neighbours(ids[place - 1] if place else None, ids[place + 1] if place + 1 < len(ids) else None)
