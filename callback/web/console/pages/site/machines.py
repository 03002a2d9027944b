"""Programs."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from callback.web.console import gate

router = APIRouter()


@router.get("/machines")
def machines(visit: gate.Administer) -> Response:
    """Show the page."""
    return visit.page("site/machines.html")
