"""My callbacks."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from callback.web.console import gate

router = APIRouter()


@router.get("/me")
def agent(visit: gate.Own) -> Response:
    """Show the page."""
    return visit.page("customers/agent.html")
