"""A page of the console with a list that a test moves as it likes: what it sends is what a stream would send."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, Form
from playwright.sync_api import Page
from starlette.responses import HTMLResponse, StreamingResponse

from callback.web.console.gate import Account, Look
from callback.web.console.render import Pages
from tests.callback.world import NOON, US

Text = Annotated[str, Form()]
PATIENCE_S: Final = 20.0
QUIET: Final = 10
VIEW: Final = "/stream/specimen"
LANES: Final = ("calling", "aim", "binds", "window", "late", "later", "held")


@dataclass
class Specimen:
    """The list's rows by lane, the acts that were asked, and the events that its streams have still to send."""

    lanes: dict[str, list[int]]
    acts: list[dict[str, str]] = field(default_factory=list)
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    streams: list[queue.Queue[str | None]] = field(default_factory=list)
    open_: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    opened: int = 0
    now: int = NOON
    is_cut: bool = False
    _n: int = 0

    def row(self, id_: int, lane: str, *, rev: int = 1, next_step: str = "no agent is free") -> str:
        """A row as the server renders it."""
        until = NOON + (id_ % 40 - 4) * 60 * US
        return str(self._row(id_, lane, rev, until, next_step))

    def wait(self, page: Page, streams: int = 1) -> None:
        """Wait until so many streams are open."""
        self.until(page, lambda: len(self.streams) >= streams)

    def until(self, page: Page, happened: Callable[[], bool]) -> None:
        """Wait until something has happened at the server; the page goes on meanwhile."""
        deadline = time.monotonic() + PATIENCE_S
        while not happened():
            assert time.monotonic() < deadline, f"not within {PATIENCE_S} s"
            page.wait_for_timeout(20)

    def settled(self, page: Page, opened: int = 0) -> None:
        """Wait until there is one stream, and no other is begun: browsers end theirs when they please."""
        deadline, quiet = time.monotonic() + PATIENCE_S, 0
        while quiet < QUIET or self.opened < opened or not self.streams:
            assert time.monotonic() < deadline, f"{self.opened} streams were opened"
            before = self.opened
            page.wait_for_timeout(50)
            quiet = quiet + 1 if self.opened == before else 0

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
        rows = {str(id_): self.row(id_, lane) for id_, lane in (come or {}).items()}
        self.send(order={lane: list(ids) for lane, ids in lanes.items()}, rows=rows, **facts)

    def end(self) -> None:
        """End all streams."""
        for stream in self.streams:
            stream.put(None)
        self.streams.clear()

    def join(self, app: FastAPI, pages: Pages) -> None:
        """Serve the page, its stream and its acts as routes of the application."""
        by_language = pages._by_language  # noqa: SLF001 - a page that is no file of the console
        rows: Any = by_language["en"].from_string(_text("specimen_row.html")).module
        self._row = rows.row
        router = APIRouter()

        @router.get("/specimen")
        def page(visit: Look) -> HTMLResponse:
            html = (
                by_language[visit.language]
                .from_string(_text("specimen.html"))
                .render(
                    visit=visit,
                    lanes=self.lanes,
                    row=self._row,
                    until=NOON + 3 * 60 * US,
                    head={"binds": "2", "late": "1", "held": "37"},
                )
            )
            return HTMLResponse(html)

        @router.get("/stream")
        def stream(visit: Look) -> StreamingResponse:
            self.asked.append(visit.request.url.query)
            if self.is_cut:
                return StreamingResponse(iter(()), status_code=503)
            mine: queue.Queue[str | None] = queue.Queue()
            self.opened += 1
            self.streams.append(mine)
            return StreamingResponse(self._events(mine), media_type="text/event-stream")

        @router.post("/act/{name}")
        def act(_visit: Look, name: str, items: Text = "", why: Text = "", at: Text = "") -> HTMLResponse:
            self.acts.append({"act": name, "items": items, "why": why, "at": at})
            status, html = self.answers.get(name, (200, f'<div class="toast"><p>{name} done</p></div>'))
            return HTMLResponse(html, status)

        @router.get("/what-if")
        def what_if(_visit: Look, items: str) -> HTMLResponse:
            self.acts.append({"act": "what-if", "items": items, "why": "", "at": ""})
            return HTMLResponse(self.answers["what-if"][1])

        @router.post("/stream/here")
        def here(_visit: Account, items: Text = "") -> HTMLResponse:
            self.open_.append(items)
            return HTMLResponse()

        app.router.routes[0:0] = router.routes

    def _put(self, event: str) -> None:
        for stream in self.streams:
            stream.put(event)

    def _events(self, mine: queue.Queue[str | None]) -> Iterator[str]:
        yield ": live\nretry: 500\n\n"
        while (event := mine.get()) is not None:
            yield event


def _text(name: str) -> str:
    return Path(__file__).with_name(name).read_text()
