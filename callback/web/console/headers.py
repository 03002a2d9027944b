"""What stands around every answer: for which host it is, what browsers may do with it, its name in the log."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from string import ascii_lowercase
from typing import Final

from starlette.datastructures import Headers as Given
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from callback.logs.repeated import Repeated
from callback.web.console.forgery import SAFE
from callback.web.hosts import is_ours

log = logging.getLogger(__name__)

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)
"""No style, script or handler stands in a page; nothing comes from elsewhere, and no page is shown inside another."""
_FEATURES: Final = (
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "usb",
)
_ALWAYS: Final = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _FEATURES),
    "Referrer-Policy": "same-origin",  # with no-referrer, forms would come from nowhere
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_HTTPS_ALONE: Final = "max-age=31536000"
_KEPT: Final = "public, max-age=31536000, immutable"
"""For what has its content's hash in its path."""
_LOWEST_FAULT: Final = 400
_BY_THEMSELVES: Final = frozenset({"/stream/here", "/session"})  # pages post there again and again
_ID_LETTERS: Final = 12  # no digits: the log masks what may be a telephone number
_MISDIRECTED: Final = "This is not the address of the console: docs/install-service.md says where it is set.\n"

Sorry = Callable[[Request, str], Response]
"""Says that something failed that should not, by the letters that the log knows it by."""


class Headers:
    """Adds the headers, answers 421 to other hosts, names requests, and logs acts and what went wrong."""

    def __init__(self, app: ASGIApp, public_url: str, kept_below: str, sorry: Sorry) -> None:
        self._app = app
        self._public_url = public_url
        self._kept_below = kept_below
        self._sorry = sorry
        self._strangers = Repeated(log.info)
        self._always = _ALWAYS | (
            {"Strict-Transport-Security": _HTTPS_ALONE} if public_url.startswith("https:") else {}
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request by the application, and what it fails at by a page that says so."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = "".join(secrets.choice(ascii_lowercase) for _ in range(_ID_LETTERS))
        scope.setdefault("state", {})["request_id"] = request_id
        told = _Told(send, self._always, _KEPT if scope["path"].startswith(self._kept_below) else "no-store")
        try:
            await self._answer(scope, receive, told)
        except Exception:
            log.exception("request %s failed: %s", request_id, _route(scope))
            if told.status is not None:
                raise  # half of an answer has left: the connection must break
            await self._sorry(Request(scope), request_id)(scope, receive, told)
        self._log(scope, told.status, request_id)

    async def _answer(self, scope: Scope, receive: Receive, send: _Told) -> None:
        if is_ours(Given(scope=scope).get("host", ""), self._public_url):
            await self._app(scope, receive, send)
        else:
            await PlainTextResponse(_MISDIRECTED, 421)(scope, receive, send)

    def _log(self, scope: Scope, status: int | None, request_id: str) -> None:
        """Log who did what, and how it ended; what was only looked at leaves no line, strangers one a minute each."""
        fine = (status or 0) < _LOWEST_FAULT
        if fine and (scope["method"] in SAFE or scope["path"] in _BY_THEMSELVES):
            return
        who = scope["state"].get("who")
        if who is None:
            self._strangers.note(f"{_route(scope)} by nobody who is signed in: {status}")
        else:
            log.info("%s by %s: %s (request %s)", _route(scope), who, status, request_id)


class _Told:
    """Sends on an answer with the headers, and remembers its status."""

    def __init__(self, send: Callable[[Message], Awaitable[None]], always: dict[str, str], cache: str) -> None:
        self._send, self._always, self._cache = send, always, cache
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers.update(self._always)
            headers["Cache-Control"] = self._cache if message["status"] < _LOWEST_FAULT else "no-store"
        await self._send(message)


def _route(scope: Scope) -> str:
    """Name a request by its route: a path may hold a secret, a query anything."""
    route = getattr(scope.get("route"), "path", "no such route")
    return f"{scope['method']} {route}"
