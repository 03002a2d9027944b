"""The process that serves metrics and health checks, until it is told to end."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import closing
from typing import Final, TextIO

from callback.clock import now_us
from callback.errors import CallbackError
from callback.logs.repeated import Repeated
from callback.settings.sections import Settings
from callback.store.engine import Store
from callback.store.keys import store_of
from callback.web.connections import Limits
from callback.web.server import Serving, opened, until_told
from callback.web.watching.app import Heard, Watching
from callback.web.watching.looks import Looks

log = logging.getLogger(__name__)

LIMITS: Final = Limits(altogether=50, by_address=20)
_NICE: Final = 5
"""It gets the processor after the service."""


async def serve(settings: Settings, store: Store, heard: Heard, now: Callable[[], int], stopped: asyncio.Event) -> None:
    """Serve until stopped, also while the database is away. CallbackError where nobody can listen there."""
    wiring = settings.metrics
    if not wiring.listen:
        raise CallbackError('no metrics are to be served: [metrics] listen = "127.0.0.1:9464" says where')
    app = Watching(settings, Looks(settings, store, now), heard).app()
    try:
        async with opened(app, wiring.address, Serving(LIMITS, body_bytes=0, keep_alive=True), Repeated(log.warning)):
            await stopped.wait()
    except OSError as error:
        raise CallbackError(f"[metrics] listen {wiring.listen}: {error.strerror or error}") from error


async def serve_until_told(settings: Settings, until_eof: TextIO | None) -> None:
    """Serve until SIGTERM or SIGINT, or until that stream ends: on it the service tells of itself, a line a second."""
    os.nice(_NICE)
    heard = Heard()
    with closing(store_of(settings.database)) as store:
        await until_told(lambda stopped: serve(settings, store, heard, now_us, stopped), until_eof, heard.take)
