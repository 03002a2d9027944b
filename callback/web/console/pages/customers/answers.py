"""Answers."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from callback.web.console import gate

router = APIRouter()


@router.get("/answers")
def answers(visit: gate.Look) -> Response:
    """Show the page."""
    return visit.page("customers/answers.html")
