"""The console's process: it serves until it is told to end."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, TextIO

from callback.clock import now_us
from callback.cluster.wiring import joined
from callback.errors import CallbackError
from callback.logs.printable import say
from callback.logs.repeated import Repeated
from callback.settings.sections import Settings
from callback.site.context import current
from callback.store.keys import check, store_of
from callback.texts.send import two_way_of
from callback.web.api import headers as api_headers
from callback.web.api.app import build as build_api
from callback.web.api.parts import AT_ONCE, EVERY_S, Api
from callback.web.beside import Beside
from callback.web.connections import Limits
from callback.web.console import headers
from callback.web.console.app import build
from callback.web.console.bounds import keep_within
from callback.web.console.members import console_of
from callback.web.console.parts import Console
from callback.web.rate_limit import Pace
from callback.web.server import Serving, opened, until_told

log = logging.getLogger(__name__)

LIMITS: Final = Limits(altogether=600, by_address=600, streams=400)
"""Everybody may come by one proxy, so that only the whole is bounded; pages find room beside all streams."""

SWITCH_S: Final = 0.001
"""A thread that works gives way to others after that, not after Python's 5 ms: a page waits so long for its turn after
each statement of the database, of which it has thirty, while another thread renders or reads."""


async def serve(
    settings: Settings, file: Path, now: Callable[[], int], stopped: asyncio.Event, said: Callable[[str], object]
) -> None:
    """Serve until stopped; say where it is found when it is. CallbackError where that is impossible."""
    if not settings.console.listen:
        raise CallbackError('no console is to be served: [console] listen = "127.0.0.1:8090" says where')
    with closing(store_of(settings.database)) as store:
        check(store)
        with store.read() as connection:
            current(connection, settings, now())  # a database that was never run on has nothing to show
        with joined(settings, store) as cluster:
            store.on_told = cluster.decided
            console = console_of(settings, store, now, two_way_of(settings), file, cluster)
            pace = Pace(AT_ONCE, EVERY_S, "api", cluster.limits)
            api = Api(settings, store, console.keeper, now, console.two_way, pace, cluster.doorbell)
            await _serve(console, api, stopped, said)


async def _serve(console: Console, api: Api, stopped: asyncio.Event, said: Callable[[str], object]) -> None:
    wiring, app = console.settings.console, build(console)

    def end() -> None:
        app.state.live.end()
        api.bell.end()

    serving = Serving(LIMITS, keep_alive=True, proxies=wiring.trusted_proxies, ending=end)
    try:
        async with opened(Beside(app, build_api(api)), wiring.address, serving, Repeated(log.warning)):
            said(f"the console is at {wiring.url}")
            await stopped.wait()
    except OSError as error:
        raise CallbackError(f"[console] listen {wiring.listen}: {error.strerror or error}") from error


async def serve_until_told(settings: Settings, file: Path, until_eof: TextIO | None) -> None:
    """Serve until SIGTERM or SIGINT, or until that stream ends, within the bounds that a console has.

    The settings were read from that file: the doctor looks at it.
    """
    keep_within(settings.console.memory_max_mb)
    sys.setswitchinterval(SWITCH_S)
    for log_of_acts in (headers.log, api_headers.log):
        log_of_acts.setLevel(logging.INFO)  # who did what
    said = say if until_eof is None else lambda _: None  # who keeps it says so
    await until_told(lambda stopped: serve(settings, file, now_us, stopped, said), until_eof)
