"""Requests that another site makes in a person's name: told by what the browser says of them, and by a token in forms.

Whatever changes something must come from a page of the console. Browsers say so themselves (Sec-Fetch-Site, or Origin
where they are old), and each form carries a token of the session, masked anew for every answer so that no two answers
are alike where compression could tell.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from callback.web.hosts import is_loopback

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
FIELD: Final = "csrf"
HEADER: Final = "x-csrf-token"
_BYTES: Final = 32
_FOREIGN: Final = "This request did not come from a page of the console: open the console, and do it there.\n"


class FromHere:
    """Refuses what may change something and does not come from a page of the console itself: 403."""

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self._app = app
        self._public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or refuse it."""
        if scope["type"] == "http" and scope["method"] not in SAFE and not self._is_from_here(Headers(scope=scope)):
            await PlainTextResponse(_FOREIGN, 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_from_here(self, headers: Headers) -> bool:
        """Believe what the browser says; of one that says nothing, nothing."""
        site, origin, host = headers.get("sec-fetch-site"), headers.get("origin"), headers.get("host", "")
        ours = {self._public_url} if self._public_url else set()
        if is_loopback(host):
            ours.add(f"http://{host}")
        if origin is not None and origin not in ours:
            return False
        return site == "same-origin" if site is not None else origin is not None


def masked(session_token: str) -> str:
    """Give the token for the forms of a session, as the answer holds it: each time another text."""
    mask = secrets.token_bytes(_BYTES)
    return urlsafe_b64encode(mask + _xored(mask, _of(session_token))).decode().rstrip("=")


def is_genuine(given: str, session_token: str) -> bool:
    """Whether a form's token was made for this session."""
    try:
        whole = urlsafe_b64decode(given + "=" * (-len(given) % 4))
    except (BadBase64, ValueError):
        return False
    return len(whole) == 2 * _BYTES and hmac.compare_digest(_xored(*_halves(whole)), _of(session_token))


def _of(session_token: str) -> bytes:
    return hmac.digest(session_token.encode(), b"forms", "sha256")


def _halves(whole: bytes) -> tuple[bytes, bytes]:
    return whole[:_BYTES], whole[_BYTES:]


def _xored(one: bytes, other: bytes) -> bytes:
    return bytes(left ^ right for left, right in zip(one, other, strict=True))
