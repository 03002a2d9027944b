"""Users."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from callback.web.console import gate

router = APIRouter()


@router.get("/users")
def users(visit: gate.Administer) -> Response:
    """Show the page."""
    return visit.page("site/users.html")
