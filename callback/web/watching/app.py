"""/metrics for Prometheus; /healthz, whether this process lives, and /readyz, whether it does its job."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from callback.operations.metrics import node as of_node
from callback.operations.metrics.sample import Sample, Spread
from callback.operations.readiness import Health, Seen, alive, ready
from callback.operations.vitals import Vitals
from callback.settings.sections import Settings
from callback.web.hosts import is_loopback
from callback.web.watching import exposition
from callback.web.watching.looks import Looks

_PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Heard:
    """What the service process told last, line by line."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self.vitals: Vitals | None = None
        self._at_s = 0.0

    def take(self, line: bytes) -> None:
        """Take a line; one of another version is none."""
        try:
            self.vitals = Vitals.model_validate_json(line)
        except ValidationError:
            return
        self._at_s = self._seconds()

    @property
    def s_ago(self) -> float:
        """How long ago that was."""
        return self._seconds() - self._at_s


class Watching:
    """The routes. Who asks from elsewhere for more than whether all is well sends the token."""

    def __init__(self, settings: Settings, looks: Looks, heard: Heard) -> None:
        self._settings, self._looks, self._heard = settings, looks, heard

    def app(self) -> Starlette:
        """Give the application."""
        return Starlette(
            routes=[
                Route("/metrics", self._metrics, methods=["GET"]),
                Route("/healthz", self._alive, methods=["GET"]),
                Route("/readyz", self._ready, methods=["GET"]),
            ]
        )

    async def _metrics(self, request: Request) -> Response:
        if not self._may_read(request):
            return PlainTextResponse("send the token of [metrics] as Authorization: Bearer …\n", 401, _PRIVATE)
        looked = await self._looks.take()
        told = self._heard.vitals
        samples: list[Sample | Spread] = [*looked.samples, Sample("lcr_database_up", not looked.fault)]
        if not looked.fault:
            samples.append(Sample("lcr_sample_age_seconds", self._looks.age_s(looked)))
        samples += of_node.look(await self._seen())
        node = ("", "") if told is None else (told.node, told.role)
        body = exposition.written(samples, self._settings.pbx.name, node)
        return Response(body, headers=_PRIVATE, media_type=exposition.CONTENT_TYPE)

    async def _alive(self, request: Request) -> Response:
        return self._said(request, alive(Seen(self._heard.vitals, self._heard.s_ago)))

    async def _ready(self, request: Request) -> Response:
        return self._said(request, ready(await self._seen()))

    async def _seen(self) -> Seen:
        looked = await self._looks.take()
        return Seen(self._heard.vitals, self._heard.s_ago, looked.fault, looked.picture_age_s, looked.line_age_s)

    def _said(self, request: Request, health: Health) -> Response:
        """The status is for everybody, the reasons for who may read."""
        status = 200 if health.ok else 503
        if not self._may_read(request):
            return JSONResponse({"ok": health.ok}, status, _PRIVATE)
        return JSONResponse(health.as_json(self._heard.vitals), status, _PRIVATE)

    def _may_read(self, request: Request) -> bool:
        """Without a token it is served to this machine alone, and no page of another's may ask by a name of its own."""
        token = self._settings.metrics.token
        if not token:
            return is_loopback(request.headers.get("Host", ""))
        told = request.headers.get("Authorization", "")
        return hmac.compare_digest(told.encode(), f"Bearer {token}".encode())
