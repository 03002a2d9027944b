"""Whether the console lives, and where a shift begins."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, RedirectResponse

from callback.web.console.gate import Account, Anybody

router = APIRouter()


@router.get("/healthz")
def healthz(console: Anybody) -> PlainTextResponse:
    """Say yes where the database can be read."""
    console.look(lambda work: work.now)
    return PlainTextResponse("ok\n")


@router.get("/")
def home(visit: Account) -> RedirectResponse:
    """Begin with what breaks next; who may not see that, with the first page that opens."""
    return RedirectResponse(visit.sections[0].path if visit.sections else "/account", 303)
