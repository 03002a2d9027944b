"""What every route says of itself: each status that it may answer with, and the problem behind it."""

from __future__ import annotations

from typing import Any, Final

from callback.web.api.problems import MEDIA

PREFIX: Final = "/api/v1"
_PROBLEM: Final = {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_SAID: Final = {
    400: "The body is no JSON, or `Idempotency-Key` is missing.",
    401: "There is no token, or it is not in use.",
    403: "The token has not this scope.",
    404: "There is none, or it is another group's.",
    409: "This is not possible now; `code` says why.",
    412: "It was changed since: read it again, and decide anew.",
    422: "Something of the request is missing, unknown, or in another form.",
    428: "`If-Match` is missing: it names the revision that was seen.",
    429: "The token asks too often: wait as long as `Retry-After` says.",
    500: "Something failed here; the log tells it by `instance`.",
    503: "The database, or what the service hears, is away.",
}
_WAIT: Final = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}}


def problems(*statuses: int, open_to_all: bool = False) -> dict[int | str, dict[str, Any]]:
    """Give these answers beside those that every route may give."""
    always = (422, 500, 503) if open_to_all else (401, 403, 422, 429, 500, 503)
    return {status: _one(status) for status in sorted({*statuses, *always})}


def _one(status: int) -> dict[str, Any]:
    one: dict[str, Any] = {"description": _SAID[status], "content": _PROBLEM}
    return one | ({"headers": _WAIT} if status == 429 else {})  # noqa: PLR2004 - too many requests


SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code", "remedy", "instance"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "A sentence for people."},
        "code": {"type": "string", "description": "A word that stays the same."},
        "remedy": {"type": "string", "description": "What helps; empty where nothing does."},
        "instance": {"type": "string", "description": "The number of the request, as the log has it."},
    },
    "examples": [
        {
            "type": "/api/v1/#changed",
            "title": "Precondition Failed",
            "status": 412,
            "detail": "reservation 812 was changed since revision 9",
            "code": "changed",
            "remedy": "read it again, and decide anew",
            "instance": "req-abcdefghijkl",
        }
    ],
}
