"""Handover."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from callback.web.console import gate

router = APIRouter()


@router.get("/handover")
def handover(visit: gate.Handover) -> Response:
    """Show the page."""
    return visit.page("site/handover.html")
