"""The API as an application: its routes, what it answers where something is wrong, and what it says of itself."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from callback.errors import CallbackError, StoreError
from callback.logs.masking import masked_text
from callback.web.api import access
from callback.web.api.documented import SCHEMA
from callback.web.api.headers import Headers
from callback.web.api.parts import Api
from callback.web.api.problems import Code, Problem, answer
from callback.web.api.routes import (
    about,
    campaigns,
    care,
    cases,
    decisions,
    events,
    figures,
    flags,
    numbers,
    people,
    reservations,
    switches,
)
from callback.web.api.values import is_no_instant

ROUTES: Final = (
    about.router,
    reservations.router,
    decisions.router,
    numbers.router,
    events.router,
    people.router,
    figures.router,
    care.router,
    switches.router,
    campaigns.router,
    cases.router,
    flags.router,
)
_SAID: Final = (
    "Callbacks that are owed to lost callers: asked for, read, decided about, and heard of. Every answer that is no"
    " success is a problem (RFC 9457) whose `code` stays the same."
)
_CODES: Final[dict[int, Code]] = {404: "no-such-route", 405: "method-not-allowed", 400: "bad-request"}


def build(api: Api) -> FastAPI:
    """Make the application. Misused where a route does not say what it needs."""
    app = FastAPI(title="Lost-call recovery", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.api = api
    app.router.routes.clear()
    for router in ROUTES:
        app.router.routes.extend(router.routes)  # as they are: the gate looks at each
    access.check(app)
    app.openapi = partial(_openapi, app)  # type: ignore[method-assign]
    app.add_middleware(Headers, public_url=api.settings.console.public_url)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _senseless)
    app.add_exception_handler(DataError, _unkeepable)
    app.add_exception_handler(StoreError, _away)
    app.add_exception_handler(CallbackError, _faulty)
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version="1", description=_SAID, routes=app.routes, servers=[{"url": "/"}])
        made["components"]["schemas"]["Problem"] = SCHEMA
        for unused in ("HTTPValidationError", "ValidationError"):
            made["components"]["schemas"].pop(unused, None)
        app.openapi_schema = made
    return app.openapi_schema


def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - nothing else is handed here
    return answer(request, error)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - nothing else is handed here
    said = Problem(error.status_code, _CODES.get(error.status_code, "bad-request"), error.detail, "", error.headers)
    return answer(request, said)


def _senseless(request: Request, error: Exception) -> Response:
    """Say where it makes no sense, and not what stood there: it may be a number."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - nothing else is handed here
    if any(fault["loc"][0] == "path" for fault in error.errors()):
        return answer(request, Problem(404, "not-found", "there is nothing here that this token may see"))
    if any(fault["type"] == "json_invalid" for fault in error.errors()):
        return answer(request, Problem(400, "bad-request", "the body is no JSON"))
    missing = {fault["loc"] for fault in error.errors() if fault["type"] == "missing"}
    if ("header", "If-Match") in missing:
        return answer(request, Problem(428, "revision-needed", "If-Match names no revision", "read it, and take ETag"))
    if ("header", "Idempotency-Key") in missing:
        return answer(request, Problem(400, "key-needed", "Idempotency-Key is missing", "send a new word with each"))
    where = sorted({".".join(str(part) for part in fault["loc"] if part != "body") for fault in error.errors()})
    faults = masked_text(f"missing, unknown or in another form: {', '.join(where)}"[:500])
    remedy = "look at /api/v1/openapi.json"
    if any(is_no_instant(fault) for fault in error.errors()):
        remedy = f"write an instant as in RFC 3339, with its zone: 2026-11-23T15:00:00+09:00; else {remedy}"
    return answer(request, Problem(422, "bad-request", faults, remedy))


def _unkeepable(request: Request, _error: Exception) -> Response:
    return answer(request, Problem(422, "bad-request", "no database keeps this text", "leave out what cannot be seen"))


def _away(request: Request, _error: Exception) -> Response:
    return answer(request, Problem(503, "store-away", "the database is away", "ask again in a moment"))


def _faulty(request: Request, error: Exception) -> Response:
    return answer(request, Problem(409, "not-possible", masked_text(str(error))))
