"""What went wrong, for programs (RFC 9457): a code that stays the same, a sentence, and what helps."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse

from callback.decisions.records import Why
from callback.errors import CallbackError

MEDIA: Final = "application/problem+json"

Code = (
    Literal[
        "not-authenticated",
        "not-allowed",  # the token has not this scope
        "too-fast",
        "not-found",
        "no-such-route",
        "method-not-allowed",
        "bad-request",
        "cursor-stale",
        "revision-needed",
        "key-needed",
        "key-used",  # with another request
        "key-running",
        "unknown-queue",
        "number-refused",
        "cases-off",  # the queue takes none
        "flags-off",
        "unknown-topic",
        "unknown-department",
        "number-blocked",
        "bad-day",
        "already-flagged",
        "paused",  # somebody stopped registering
        "reference-refused",
        "not-undone",
        "reason-needed",
        "no-data",  # of the service or its PBX: nobody knows what has become of what is to be closed
        "store-away",
        "failed",
    ]
    | Why
)


class Problem(Exception):
    """An answer that says what was wrong; `detail` holds no telephone number."""

    def __init__(
        self, status: int, code: Code, detail: str, remedy: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.remedy = status, code, detail, remedy
        self.headers = dict(headers or {})


def not_found() -> Problem:
    """What there is not, or is another group's: both are answered with the same bytes."""
    return Problem(404, "not-found", "there is nothing here that this token may see", "look at the list")


def answer(request: Request, problem: Problem) -> JSONResponse:
    """Give the answer."""
    body: dict[str, Any] = {
        "type": f"/api/v1/#{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "remedy": problem.remedy,
        "instance": str(request.scope.get("state", {}).get("request_id", "")),
    }
    return JSONResponse(body, problem.status, problem.headers, MEDIA)


class Misused(CallbackError):
    """A route does not say what it needs."""
