"""Person."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from callback.web.console import gate

router = APIRouter()


@router.get("/p")
def person(visit: gate.Person) -> Response:
    """Show the page."""
    return visit.page("customers/person.html")
