"""Staffing."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from callback.web.console import gate

router = APIRouter()


@router.get("/staffing")
def staffing(visit: gate.Staffing) -> Response:
    """Show the page."""
    return visit.page("planning/staffing.html")
