"""What stands around every answer: for which host it is, the number of the request, and what went wrong, in the log."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from string import ascii_lowercase
from typing import Final

from starlette.datastructures import Headers as Given
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from callback.logs.masking import masked_text
from callback.logs.repeated import Repeated
from callback.web.api.problems import Problem, answer
from callback.web.hosts import is_ours

log = logging.getLogger(__name__)

_ID: Final = re.compile(r"[0-9A-Za-z._-]{1,64}")
_LETTERS: Final = 12  # no digits: the log masks what may be a telephone number
_LOWEST_FAULT: Final = 400
_FAILED: Final = 500
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_ALWAYS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_HTTPS_ALONE: Final = "max-age=31536000"


class Headers:
    """Adds the headers, answers 421 to other hosts, names requests, and logs acts and what went wrong."""

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self._app, self._public_url = app, public_url
        self._strangers = Repeated(log.info)
        https = {"Strict-Transport-Security": _HTTPS_ALONE} if public_url.startswith("https:") else {}
        self._always = _ALWAYS | https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request by the application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Given(scope=scope)
        said = given.get("x-request-id", "")
        named = masked_text(said) == said and _ID.fullmatch(said)
        request_id = said if named else "req-" + "".join(secrets.choice(ascii_lowercase) for _ in range(_LETTERS))
        scope.setdefault("state", {})["request_id"] = request_id
        told = _Told(send, self._always | {"X-Request-Id": request_id})
        try:
            if is_ours(given.get("host", ""), self._public_url):
                await self._app(scope, receive, told)
            else:
                elsewhere = Problem(421, "bad-request", "this is not the address of the API", "look at [console]")
                await answer(Request(scope), elsewhere)(scope, receive, told)
        except Exception:
            log.exception("request %s failed: %s", request_id, _route(scope))
            if told.status is not None:
                raise  # half of an answer has left: the connection must break
            failed = Problem(_FAILED, "failed", "something failed here; the log tells it by `instance`")
            await answer(Request(scope), failed)(scope, receive, told)
        self._log(scope, told.status, request_id)

    def _log(self, scope: Scope, status: int | None, request_id: str) -> None:
        """Log who did what, and how it ended; what was only looked at leaves no line, strangers one a minute each."""
        if (status or 0) < _LOWEST_FAULT and scope["method"] in _SAFE:
            return
        who = scope["state"].get("who")
        if who is None:
            self._strangers.note(f"{_route(scope)} without a token that is in use: {status}")
        else:
            log.info("%s by %s: %s (request %s)", _route(scope), who, status, request_id)


class _Told:
    """Sends on an answer with the headers, and remembers its status."""

    def __init__(self, send: Callable[[Message], Awaitable[None]], always: dict[str, str]) -> None:
        self._send, self._always = send, always
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers.update(self._always)
        await self._send(message)


def _route(scope: Scope) -> str:
    """Name a request by its route: a path or a query may hold anything."""
    route = getattr(scope.get("route"), "path", "no such route")
    return f"{scope['method']} {route}"
