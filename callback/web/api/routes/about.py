"""What the API is: its description for programs, the same as a page for people, and whether it lives."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from callback.web.api import reference
from callback.web.api.access import Anybody
from callback.web.api.documented import PREFIX, problems
from callback.web.api.values import Shown

router = APIRouter(prefix=PREFIX, tags=["about"])


class Alive(Shown):
    """Whether the database answers."""

    ok: bool = Field(examples=[True])


@router.get("/healthz", response_model=Alive, summary="Whether it lives", responses=problems(open_to_all=True),
            operation_id="is_alive")  # fmt: skip
def alive(api: Anybody) -> Response:
    """Say whether the database answers; no token is needed."""
    api.look(lambda work: work.now)
    return JSONResponse({"ok": True})


@router.get("/openapi.json", include_in_schema=False)
def description(request: Request, _api: Anybody) -> Response:
    """Give the description (OpenAPI 3.1)."""
    return JSONResponse(request.app.openapi())


@router.get("/", include_in_schema=False)
def page(request: Request, _api: Anybody) -> Response:
    """Show the description as a page."""
    return HTMLResponse(reference.page(request.app.openapi()))


@router.get("/reference.css", include_in_schema=False)
def style(_api: Anybody) -> Response:
    """Give the page's style."""
    return Response(reference.STYLE, media_type="text/css")
