"""The same request twice does one thing, and is answered alike.

What was refused did nothing and is not kept: it may be asked again. While a request is at work in this process, another
with its key is told so; of two processes the second waits in the database, and gives the first one's answer.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.responses import Response

from callback.accounts import idempotency
from callback.accounts.idempotency import Asked
from callback.site.work import Work
from callback.web.api.access import Caller
from callback.web.api.problems import Problem


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered to a request."""

    status: int
    body: Mapping[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


class Running:
    """The keys of the requests that are at work in this process."""

    def __init__(self) -> None:
        self._keys: set[tuple[int, str]] = set()
        self._lock = threading.Lock()

    @contextmanager
    def one(self, token: int, key: str) -> Iterator[None]:
        """Be the one with this key while the block lasts. 409 where another is."""
        with self._lock:
            if (token, key) in self._keys:
                raise Problem(
                    409, "key-running", "a request with this Idempotency-Key is at work", "ask again in a second",
                    {"Retry-After": "1"},
                )  # fmt: skip
            self._keys.add((token, key))
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard((token, key))


_running: Final = Running()


def once(caller: Caller, key: str, about: Mapping[str, Any], do: Callable[[Work], Answer]) -> Response:
    """Do it, or give the answer that the same request had before. 422 where the key came with another request."""
    asked = Asked(caller.token.id, key, _json(about))

    def done(work: Work) -> Response:
        kept = idempotency.begin(work.connection, asked, work.now)
        if kept is not None and not kept.same:
            raise Problem(
                422, "key-used", "this Idempotency-Key came with another request", "take a new key for each request"
            )
        if kept is not None:
            return _response(kept.status, kept.body, kept.headers | {"Idempotency-Replayed": "true"})
        answer = do(work)
        body = _json(answer.body)
        idempotency.keep(work.connection, asked, answer.status, answer.headers, body)
        return _response(answer.status, body, answer.headers)

    with _running.one(caller.token.id, key):
        return caller.api.act(done)


def _response(status: int, body: str, headers: dict[str, str]) -> Response:
    return Response(body, status, headers, "application/json")


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
