"""The console as an application: its pages, and what it answers where something is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from anyio.to_thread import current_default_thread_limiter, run_sync
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from callback.campaigns.campaign import NoSuchCampaign
from callback.decisions.actions import NoSuchReservation
from callback.decisions.corrections import NoSuchCall
from callback.errors import CallbackError, StoreError
from callback.logs.masking import masked_text
from callback.web.console import entrance, gate
from callback.web.console.agent import view as agent_view
from callback.web.console.campaigns import view as campaign_view
from callback.web.console.live.live import Live
from callback.web.console.live.views import Kind
from callback.web.console.now import content, heads
from callback.web.console.pages import account, acts, home, left, now, preferences, queue, reservation, stream
from callback.web.console.pages.campaigns import all as campaigns
from callback.web.console.pages.campaigns import checklist, sample
from callback.web.console.pages.campaigns import one as campaign
from callback.web.console.pages.care import case, cases, flags, manners, register
from callback.web.console.pages.customers import agent, answers, incidents, person
from callback.web.console.pages.planning import care, misses, reports, rules, switches
from callback.web.console.pages.site import audit, handover, health, machines, users
from callback.web.console.parts import Console
from callback.web.console.queue import content as queue_content
from callback.web.console.render import STATIC
from callback.web.console.reservation import view as reservation_view
from callback.web.console.words import chosen

READERS: Final = 8
"""Pages that are made at once: each has a connection of the database."""
PAGES: Final = (
    home.router,
    account.router,
    acts.router,
    now.router,
    preferences.router,
    left.router,
    queue.router,
    reservation.router,
    stream.router,
    agent.router,
    answers.router,
    cases.router,
    register.router,
    case.router,
    flags.router,
    manners.router,
    incidents.router,
    campaigns.router,
    campaign.router,
    sample.router,
    checklist.router,
    person.router,
    care.router,
    misses.router,
    reports.router,
    rules.router,
    switches.router,
    audit.router,
    handover.router,
    health.router,
    machines.router,
    users.router,
)
VIEWS: Final[Mapping[str, Callable[[Console], Kind]]] = {
    "head": lambda console: Kind(heads.factory(console)),
    "now": lambda console: Kind(content.factory(console)),
    "queue": lambda console: Kind(queue_content.factory(console)),
    "reservation": lambda console: Kind(reservation_view.factory(console)),
    "campaign": lambda console: Kind(campaign_view.factory(console), "campaign-look"),
    "agent": lambda console: Kind(agent_view.factory(console), "own", personal=True),
}
"""What is live, by the name that its address has after `/stream/`."""


def build(console: Console) -> FastAPI:
    """Make the application. CallbackError where a route does not say what it needs."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=_lifespan)
    app.state.console = console
    views = {name: of(console) for name, of in VIEWS.items()}
    app.state.live = Live(console.store, console.snapshot, console.now, views, console.fallen, console.doorbell)
    for router in PAGES:
        app.router.routes.extend(router.routes)  # as they are: the gate looks at each
    app.mount(f"{gate.STATIC}/{console.pages.digest}", StaticFiles(directory=STATIC), name="static")
    gate.check(app)
    entrance.install(app, console)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(NoSuchReservation, _unknown)
    app.add_exception_handler(NoSuchCall, _unknown)
    app.add_exception_handler(NoSuchCampaign, _unknown)
    app.add_exception_handler(StoreError, _away)
    app.add_exception_handler(CallbackError, _faulty)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = READERS
    live: Live = app.state.live
    console: Console = app.state.console
    live.start()
    console.keeper.start(console.look)
    try:
        yield
    finally:
        live.end()
        await run_sync(live.stop)
        await run_sync(console.keeper.stop)


def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return _say(request, 500)
    answer = _say(request, error.status_code)
    answer.headers.update(error.headers or {})
    return answer


def _unknown(request: Request, _error: Exception) -> Response:
    """Say no more than of a page that does not exist: whose the reservation is, is nobody's affair."""
    return _say(request, 404)


def _away(request: Request, _error: Exception) -> Response:
    return _say(request, 503)


def _faulty(request: Request, error: Exception) -> Response:
    return _say(request, 422, masked_text(str(error)))  # a command may name the number; a page may not


def _say(request: Request, status: int, told: str = "") -> Response:
    console: Console = request.app.state.console
    html = console.pages.render("error.html", chosen(request), status=status, told=told)
    return HTMLResponse(html, status)
