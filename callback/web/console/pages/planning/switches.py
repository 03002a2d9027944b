"""Switches."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from callback.web.console import gate

router = APIRouter()


@router.get("/switches")
def switches(visit: gate.SeeRules) -> Response:
    """Show the page."""
    return visit.page("planning/switches.html")
