"""What stands before every page: hosts, headers, forged requests, and where those go who may not go on yet."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from callback.web.console import gate
from callback.web.console.back import parts_of
from callback.web.console.forgery import SAFE, FromHere
from callback.web.console.headers import Headers
from callback.web.console.members import Member
from callback.web.console.pages import account
from callback.web.console.parts import Console
from callback.web.console.signing_in import SignIns
from callback.web.console.visit import Visit
from callback.web.console.words import chosen

SESSION: str = "X-Session"
"""Tells a page's script why it was refused: `none`, `locked`, `prove` or `one-time`."""


def install(app: FastAPI, console: Console) -> None:
    """Put it before an application."""
    public_url = console.settings.console.public_url
    app.state.sign_ins = SignIns(console)
    app.add_middleware(FromHere, public_url=public_url)
    app.add_middleware(Headers, public_url=public_url, kept_below=f"{gate.STATIC}/", sorry=_failed)
    app.add_exception_handler(gate.NotSignedIn, _to_sign_in)
    app.add_exception_handler(gate.Locked, _locked)
    app.add_exception_handler(gate.ProveAgain, _to_prove)
    app.add_exception_handler(gate.MustChange, _to_password)
    app.add_exception_handler(gate.Forged, _forged)
    app.add_exception_handler(RequestValidationError, _senseless)
    app.add_exception_handler(DataError, _senseless)  # what no column holds, as a NUL


def _to_sign_in(request: Request, _error: Exception) -> Response:
    if _is_script(request):
        return _told("none")
    return RedirectResponse(f"{account.SIGN_IN}?to={quote(_back(request), safe='')}", 303)


def _locked(request: Request, _error: Exception) -> Response:
    """Ask for the password in the place of the page, which comes back then; a script does so over it."""
    console: Console = request.app.state.console
    viewer = console.who(request)
    if _is_script(request) or not isinstance(viewer, Member):
        return _told("locked")
    visit = Visit(console, request, viewer, chosen(request))
    return visit.page("unlock.html", 401, to=_back(request), refused="", locked=True)


def _to_prove(request: Request, _error: Exception) -> Response:
    if _is_script(request):
        return _told("prove")
    return RedirectResponse(f"{account.PROVE}?to={quote(_back(request), safe='')}", 303)


def _to_password(request: Request, _error: Exception) -> Response:
    return _told("one-time") if _is_script(request) else RedirectResponse(account.PASSWORD, 303)


def _forged(request: Request, _error: Exception) -> Response:
    return _say(request, 403, "forged")


def _senseless(request: Request, error: Exception) -> Response:
    """Say that it makes no sense, and not what it was: it may hold a number. An address that makes none is unknown."""
    faults = error.errors() if isinstance(error, RequestValidationError) else ()
    return _say(request, 404 if any(fault["loc"][0] == "path" for fault in faults) else 422, "")


def _failed(request: Request, request_id: str) -> Response:
    return _say(request, 500, request_id)


def _say(request: Request, status: int, told: str) -> Response:
    console: Console = request.app.state.console
    return HTMLResponse(console.pages.render("error.html", chosen(request), status=status, told=told), status)


def _told(why: str) -> Response:
    return PlainTextResponse("", 401, {SESSION: why})


def _is_script(request: Request) -> bool:
    """Whether a page's script asks, which must not get another page in the place of its part."""
    mode = request.headers.get("sec-fetch-mode", "navigate")
    return "x-fragment" in request.headers or mode != "navigate" or request.url.path.startswith("/stream")


def _back(request: Request) -> str:
    """Give the page to come back to: this one, or that on which a form stood."""
    url = request.url if request.method in SAFE else parts_of(request.headers.get("referer", ""))
    path = url.path + (f"?{url.query}" if url.query else "")
    return account.inside(path or account.BEGINNING)
