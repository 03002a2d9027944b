"""Where the next page of a list begins, sealed: what comes back is what we gave, for the same token and filter."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Sequence
from typing import Any, Final

from callback.site.work import Work
from callback.store import keys
from callback.web.api.problems import Problem

_SEAL: Final = 16


def sealed(work: Work, place: Sequence[Any], about: str) -> str:
    """Give a place of the list that is about that."""
    body = json.dumps(list(place), separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_seal(work, body, about) + body).decode().rstrip("=")


def opened(work: Work, said: str, about: str) -> list[Any]:
    """Give the place that was sealed. 422 where it was not for this list."""
    try:
        whole = base64.b64decode(said + "=" * (-len(said) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise _stale() from error
    seal, body = whole[:_SEAL], whole[_SEAL:]
    if not hmac.compare_digest(seal, _seal(work, body, about)):
        raise _stale()
    place: list[Any] = json.loads(body)
    return place


def _seal(work: Work, body: bytes, about: str) -> bytes:
    return hmac.digest(keys.site_key(work.connection, "api cursor"), f"{about}\0".encode() + body, "sha256")[:_SEAL]


def _stale() -> Problem:
    return Problem(422, "cursor-stale", "this cursor is of another list, or none", "begin without `after`")
