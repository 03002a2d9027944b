"""One stream as an answer to a request: events until the browser leaves, or is told to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi.sse import EventSourceResponse
from starlette.types import Receive, Scope, Send

from callback.web.console.live.hub import Hub
from callback.web.console.live.viewers import Viewer

_HEADERS: Final[Mapping[str, str]] = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class EventStream(EventSourceResponse):
    """Sends a viewer's events; however it ends, the viewer has left then. Who takes nothing is the server's to end."""

    def __init__(self, hub: Hub, viewer: Viewer) -> None:
        super().__init__(viewer.events(), headers=_HEADERS)
        self._hub, self._viewer = hub, viewer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer. It returns when the stream is over."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._hub.leave(self._viewer)
