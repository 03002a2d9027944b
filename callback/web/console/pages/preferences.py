"""How a person wants the console: language, colours and single keys, kept in the person's browser and account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, get_args

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from callback.accounts import users
from callback.web.console.back import page_before
from callback.web.console.gate import Anybody
from callback.web.console.members import Member
from callback.web.console.parts import Console
from callback.web.console.visit import KEYS, THEMES
from callback.web.console.words import COOKIE, LANGUAGES

router = APIRouter()

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {COOKIE: LANGUAGES, "theme": get_args(THEMES), "keys": get_args(KEYS)}
"""What may be chosen, by the name of the cookie that keeps it."""
_YEAR_S: Final = 365 * 24 * 3600


@router.post("/preferences")
def prefer(
    console: Anybody,
    request: Request,
    language: Annotated[str, Form()] = "",
    theme: Annotated[str, Form()] = "",
    keys: Annotated[str, Form()] = "",
) -> RedirectResponse:
    """Keep what is chosen, and go back to the page; what is no choice changes nothing. The account keeps it, too."""
    answer = RedirectResponse(page_before(request), 303)
    given = {COOKIE: language, "theme": theme, "keys": keys}
    chosen = {name: value for name, value in given.items() if value in CHOICES[name]}
    keep(answer, console, chosen)
    viewer = console.who(request)
    if isinstance(viewer, Member):
        of_account = {name: value for name, value in chosen.items() if name != "keys"}
        console.act(lambda work: users.choose(work.connection, viewer.user, **of_account))
    return answer


def keep(answer: Response, console: Console, chosen: Mapping[str, str]) -> None:
    """Let a browser keep choices, by their names."""
    for name, value in chosen.items():
        https = console.settings.console.is_https
        answer.set_cookie(name, value, max_age=_YEAR_S, samesite="lax", httponly=True, secure=https)
