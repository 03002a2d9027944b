"""The console as its users reach it: served on a free port of this machine, on a database of the test's own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

import uvicorn
from fastapi import FastAPI
from playwright.sync_api import BrowserContext, Page
from starlette.requests import Request

from callback.accounts.roles import Role, Viewer
from callback.web.console.app import build
from callback.web.console.parts import Console
from callback.web.console.render import Pages
from tests.callback.world import NOON, World

START_S: Final = 20.0
_NAMES: Final[dict[Role, str]] = {
    "agent": "Mei",
    "supervisor": "Anna",
    "manager": "Bo",
    "auditor": "Chen",
    "administrator": "Dai",
}
_COOKIE: Final = "signed-in-as"


@dataclass
class Served:
    """A console that answers at `url`, by a clock that the test moves; it begins at noon of the tests."""

    world: World
    url: str = ""
    now: int = NOON
    groups: dict[Role, frozenset[str]] = field(default_factory=dict)

    def sign_in(self, page: Page | BrowserContext, role: Role = "supervisor") -> str:
        """Let this person's browser act in a role; gives the name that the audit keeps."""
        context = page.context if isinstance(page, Page) else page
        context.add_cookies([{"name": _COOKIE, "value": role, "url": self.url}])
        return _NAMES[role]

    def viewer(self, request: Request) -> Viewer | None:
        """Whoever is signed in."""
        for role, name in _NAMES.items():
            if request.cookies.get(_COOKIE) == role:
                return Viewer(name, frozenset({role}), self.groups.get(role))
        return None

    def at(self, path: str) -> str:
        """Give the address of a page."""
        return f"{self.url}{path}"


@contextmanager
def serve(world: World, now: int = NOON, more: Callable[[FastAPI, Pages], None] | None = None) -> Iterator[Served]:
    """Serve a console on the database of `world` while the block lasts; `more` adds to the application."""
    served = Served(world, now=now)
    pages = Pages(ZoneInfo(world.settings.rules.zone))
    parts = Console(world.settings, world.store, pages, served.viewer, lambda: served.now)
    app = build(parts)
    if more is not None:
        more(app, pages)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="console")
    thread.start()
    try:
        served.url = _address(server, thread)
        yield served
    finally:
        server.should_exit = True
        thread.join(START_S)
    assert not thread.is_alive(), "the console did not end"


def _address(server: uvicorn.Server, thread: threading.Thread) -> str:
    """Wait until it listens; give where."""
    deadline = time.monotonic() + START_S
    while not server.started:
        assert thread.is_alive(), "the console did not start"
        assert time.monotonic() < deadline, f"the console did not start within {START_S} s"
        time.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    return f"http://{host}:{port}"
