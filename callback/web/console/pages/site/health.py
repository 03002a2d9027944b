"""Health."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from callback.web.console import gate

router = APIRouter()


@router.get("/health")
def health(visit: gate.Health) -> Response:
    """Show the page."""
    return visit.page("site/health.html")
