"""A page of the console with a list that a test moves as it likes: what it sends is what a stream would send."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Form
from jinja2 import Environment
from markupsafe import Markup
from starlette.responses import HTMLResponse, StreamingResponse

from callback.web.console.gate import Account, Look
from callback.web.console.render import Pages
from tests.callback.world import NOON, US

VIEW: Final = "/stream/specimen"
LANES: Final = ("calling", "aim", "binds", "window", "late", "later", "held")
_ROW: Final = """<tr id="r-{id}" data-id="{id}" data-rev="{rev}" data-hash="{id}-{rev}-{lane}-{next}" tabindex="-1">\
<td class="pick"><label><input type="checkbox" name="items" value="{id}:{rev}" form="chosen">\
<span class="unseen">{id}</span></label></td>\
<td class="promised"><span class="{lane}">{sign} <time class="countdown" datetime="2026-11-23T03:20:00Z" data-until="{until}"></time></span>\
 <span class="note">12:20</span></td>\
<td class="customer"><a class="open" href="/r/{id}">+81 90 •••• {id}</a> <span class="note">×2</span></td><td class="queue">support</td>\
<td class="lost">gave up after 4:10</td><td class="next">{next} <a class="button lever" href="/now">lend one</a></td>\
<td class="tries">1/3</td><td class="text">delivered</td><td class="whose">–</td></tr>"""


@dataclass
class Specimen:
    """The list's rows by lane, the acts that were asked, and the events that its streams have still to send."""

    lanes: dict[str, list[int]]
    acts: list[dict[str, str]] = field(default_factory=list)
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    streams: list[queue.Queue[str | None]] = field(default_factory=list)
    opened: int = 0
    now: int = NOON
    is_cut: bool = False
    _n: int = 0

    def row(self, id_: int, lane: str, *, rev: int = 1, next_step: str = "no agent is free") -> Markup:
        """A row as the server renders it."""
        until = NOON + (id_ % 40 - 4) * 60 * US
        sign = Markup(self._sign(lane))
        return Markup(_ROW).format(id=id_, lane=lane, rev=rev, next=next_step, sign=sign, until=until)

    def send(self, **facts: Any) -> None:
        """Send a frame."""
        self._n += 1
        data = {"view": VIEW, "n": self._n, "v": self._n, "at": self.now, **facts}
        self._put(f"id: e-{self._n}\ndata: {json.dumps(data)}\n\n")

    def beat(self, **facts: Any) -> None:
        """Send a heartbeat."""
        data = {"at": self.now, "data_at": self.now, "service_at": self.now, "pbx_at": self.now, "stale": None}
        self._put(f"event: beat\ndata: {json.dumps(data | {'since_at': None} | facts)}\n\n")

    def tell(self, event: str, data: str = "{}") -> None:
        """Send another event."""
        self._put(f"event: {event}\ndata: {data}\n\n")

    def order(self, lanes: Mapping[str, Sequence[int]], come: Mapping[int, str] | None = None, **facts: Any) -> None:
        """Send a new order, with rows for those who come: their lanes by id."""
        rows = {str(id_): str(self.row(id_, lane)) for id_, lane in (come or {}).items()}
        self.send(order={lane: list(ids) for lane, ids in lanes.items()}, rows=rows, **facts)

    def end(self) -> None:
        """End all streams."""
        for stream in self.streams:
            stream.put(None)
        self.streams.clear()

    def join(self, app: FastAPI, pages: Pages) -> None:
        """Serve the page, its stream and its acts as routes of the application."""
        template = (Path(__file__).with_name("specimen.html")).read_text()
        by_language: dict[str, Environment] = pages._by_language  # noqa: SLF001 - a page that is no file of the console
        self._sign = by_language["en"].get_template("signs.html").module.sign  # type: ignore[attr-defined]
        router = APIRouter()

        @router.get("/specimen")
        def page(visit: Look) -> HTMLResponse:
            html = by_language[visit.language].from_string(template).render(
                visit=visit, lanes=self.lanes, row=self.row, head={"binds": "2", "late": "1", "held": "37"}
            )
            return HTMLResponse(html)

        @router.get("/stream")
        def stream(_visit: Look) -> StreamingResponse:
            if self.is_cut:
                return StreamingResponse(iter(()), status_code=503)
            mine: queue.Queue[str | None] = queue.Queue()
            self.opened += 1
            self.streams.append(mine)
            return StreamingResponse(self._events(mine), media_type="text/event-stream")

        @router.post("/act/{name}")
        def act(_visit: Look, name: str, items: str = Form(""), why: str = Form(""), at: str = Form("")) -> HTMLResponse:
            self.acts.append({"act": name, "items": items, "why": why, "at": at})
            status, html = self.answers.get(name, (200, f'<div class="toast"><p>{name} done</p></div>'))
            return HTMLResponse(html, status)

        @router.post("/here")
        def here(_visit: Account) -> HTMLResponse:
            return HTMLResponse("")

        app.router.routes[0:0] = router.routes

    def _put(self, event: str) -> None:
        for stream in self.streams:
            stream.put(event)

    def _events(self, mine: queue.Queue[str | None]) -> Iterator[str]:
        yield ": live\nretry: 500\n\n"
        while (event := mine.get()) is not None:
            yield event
