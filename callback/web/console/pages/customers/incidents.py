"""Incidents."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from callback.web.console import gate

router = APIRouter()


@router.get("/incidents")
def incidents(visit: gate.Look) -> Response:
    """Show the page."""
    return visit.page("customers/incidents.html")
