"""The console as its users reach it: served on a free port of this machine, on a database of the test's own."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from playwright.sync_api import BrowserContext, Page
from starlette.requests import Request

from callback.accounts.roles import Role, Viewer
from callback.logs.repeated import Repeated
from callback.web.connections import Limits
from callback.web.console.app import build
from callback.web.console.live.hub import Hub
from callback.web.console.live.watch import Fallen
from callback.web.console.members import console_of
from callback.web.console.parts import Console
from callback.web.console.render import Pages
from callback.web.server import Serving, opened
from tests.callback.world import NOON, US, World

START_S: Final = 20.0
LIMITS: Final = Limits(streams=300)
_NAMES: Final[dict[Role, str]] = {
    "agent": "Mei",
    "supervisor": "Anna",
    "manager": "Bo",
    "auditor": "Chen",
    "administrator": "Dai",
}
COOKIE: Final = "signed-in-as"


@dataclass
class Served:
    """A console that answers at `url`, by a clock that the test moves, or lets run on from there."""

    world: World
    url: str = ""
    now: int = NOON
    runs_since_s: float | None = None  # by the monotonic clock; None: the clock stands
    groups: dict[Role, frozenset[str]] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)  # whose sessions are over
    hub: Hub = field(init=False)
    stop: Callable[[], object] = field(init=False)  # let it end; it may take a while

    def sign_in(self, page: Page | BrowserContext, role: Role = "supervisor") -> str:
        """Let this person's browser act in a role; gives the name that the audit keeps."""
        context = page.context if isinstance(page, Page) else page
        context.add_cookies([{"name": COOKIE, "value": role, "url": self.url}])
        return _NAMES[role]

    def clock(self) -> int:
        """Tell the time by which pages are made."""
        run_s = 0.0 if self.runs_since_s is None else time.monotonic() - self.runs_since_s
        return self.now + round(run_s * US)

    def viewer(self, request: Request) -> Viewer | None:
        """Whoever is signed in."""
        for role, name in _NAMES.items():
            if request.cookies.get(COOKIE) == role:
                return Viewer(name, frozenset({role}), self.groups.get(role))
        return None

    def at(self, path: str) -> str:
        """Give the address of a page."""
        return f"{self.url}{path}"


@contextmanager
def serve(
    world: World,
    now: int = NOON,
    more: Callable[[FastAPI, Pages], None] | None = None,
    limits: Limits = LIMITS,
    *,
    accounts: bool = False,
) -> Iterator[Served]:
    """Serve a console on the database of `world` while the block lasts, as its process does.

    `more` adds to the application. With `accounts` people sign in by its pages, and `Served.sign_in` is of no use.
    """
    served = Served(world, now=now)
    if accounts:
        console = console_of(world.settings, world.store, served.clock)
    else:
        pages = Pages(ZoneInfo(world.settings.rules.zone))
        console = Console(world.settings, world.store, pages, served.viewer, served.clock, fallen=_fallen(served.ended))
    app = build(console)
    if more is not None:
        more(app, console.pages)
    begun: queue.SimpleQueue[_Begun] = queue.SimpleQueue()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(app, limits, begun)), name="console")
    thread.start()
    running = begun.get(timeout=START_S)
    served.url, served.hub, served.stop = f"http://127.0.0.1:{running.port}", app.state.live.hub, running.stop
    try:
        yield served
    finally:
        served.stop()
        thread.join(START_S)
    assert not thread.is_alive(), "the console did not end"


@dataclass(frozen=True)
class _Begun:
    port: int
    loop: asyncio.AbstractEventLoop
    stopped: asyncio.Event

    def stop(self) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.stopped.set)


async def _serve(app: FastAPI, limits: Limits, begun: queue.SimpleQueue[_Begun]) -> None:
    stopped = asyncio.Event()
    serving = Serving(limits, keep_alive=True, ending=app.state.live.end)
    async with opened(app, ("127.0.0.1", 0), serving, Repeated(logging.warning)) as port:
        begun.put(_Begun(port, asyncio.get_running_loop(), stopped))
        await stopped.wait()


def _fallen(ended: set[str]) -> Fallen:
    return lambda _work, visitors: [one for one in visitors if one.user in ended]
