"""Two applications at one address: the API below its path, and beside it the console, which has all the rest."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

API: Final = "/api/"


class Beside:
    """Hands what is asked of the API to it, and everything else to the console."""

    def __init__(self, console: ASGIApp, api: ASGIApp) -> None:
        self._console, self._api = console, api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand it on; beginning and end are the console's."""
        is_api = scope["type"] == "http" and scope["path"].startswith(API)
        await (self._api if is_api else self._console)(scope, receive, send)
