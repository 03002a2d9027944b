"""Rules."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from callback.web.console import gate

router = APIRouter()


@router.get("/rules")
def rules(visit: gate.SeeRules) -> Response:
    """Show the page."""
    return visit.page("planning/rules.html")
