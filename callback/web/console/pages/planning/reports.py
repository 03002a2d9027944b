"""Reports."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from callback.web.console import gate

router = APIRouter()


@router.get("/reports")
def reports(visit: gate.SeeReports) -> Response:
    """Show the page."""
    return visit.page("planning/reports.html")
