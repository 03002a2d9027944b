"""Audit."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from callback.web.console import gate

router = APIRouter()


@router.get("/audit")
def audit(visit: gate.Audit) -> Response:
    """Show the page."""
    return visit.page("site/audit.html")
