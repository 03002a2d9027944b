"""Alarms reach people who do not watch a screen: through a program of the site's, or a URL, beside all other work."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Final

import aiohttp

from callback.errors import CallbackError
from callback.events import AlarmNotPassed, Happened
from callback.service.narrator import record
from callback.settings.sections import Alarms

WAITING: Final = 100
"""Alarms that wait while a channel is slow; when there are more, the oldest go."""


class NotPassed(CallbackError):
    """An alarm did not get through; the message says what the channel answered."""


class Alerts:
    """Passes alarming events on. It keeps nobody waiting; a channel that fails is told of and not tried again."""

    def __init__(
        self,
        settings: Alarms,
        pbx: str,
        say: Callable[[Happened], str],
        tell: Callable[[AlarmNotPassed], None],
    ) -> None:
        self._settings, self._pbx, self._say, self._tell = settings, pbx, say, tell
        self._channels = [
            *([("command", self._hand_over)] if settings.command else []),
            *([("url", self._post)] if settings.url else []),
        ]
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Queue[Happened] = asyncio.Queue(WAITING)
        self._passing: Happened | None = None

    def take(self, happened: Iterable[Happened]) -> None:
        """Pass on what is alarming of this; from any thread, and at once."""
        for piece in happened:
            if self._channels and piece.event.ALARMING:
                self._loop.call_soon_threadsafe(self._put, piece)

    async def run(self) -> None:
        """Pass alarms on, one after the other and each by all channels, for ever."""
        while True:
            self._passing = await self._waiting.get()
            await self._pass(self._passing)
            self._passing = None

    async def drain(self) -> None:
        """Pass on what still waits when the service ends, for no longer than one alarm may take."""
        await asyncio.sleep(0)  # what was taken just now comes into the queue
        waiting = [self._passing] if self._passing else []
        while not self._waiting.empty():
            waiting.append(self._waiting.get_nowait())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.timeout_s):
                for piece in waiting:
                    await self._pass(piece)

    async def _pass(self, piece: Happened) -> None:
        facts = {"pbx": self._pbx, "says": self._say(piece), **record(piece)}
        body = json.dumps(facts).encode()
        await asyncio.gather(*(self._pass_on(name, channel, body) for name, channel in self._channels))

    def _put(self, piece: Happened) -> None:
        if self._waiting.full():
            self._fault("any", f"too many alarms wait: given up {self._waiting.get_nowait().name}")
        self._waiting.put_nowait(piece)

    async def _pass_on(self, name: str, channel: Callable[[bytes], Awaitable[None]], body: bytes) -> None:
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                await channel(body)
        except TimeoutError:
            self._fault(name, f"took longer than timeout_s = {self._settings.timeout_s:g}")
        except (OSError, ValueError, aiohttp.ClientError, NotPassed) as error:  # ValueError: a name that is no host's
            self._fault(name, str(error) or type(error).__name__)

    async def _hand_over(self, body: bytes) -> None:
        """Run the site's program with the alarm on its standard input; no shell sees it."""
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            *self._settings.command, stdin=asyncio.subprocess.PIPE, stdout=quiet, stderr=quiet, start_new_session=True
        )
        try:
            await process.communicate(body)
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):  # it ended just now, and nobody has noticed yet
                    os.killpg(process.pid, signal.SIGKILL)  # and what it has started
                await process.wait()
        if process.returncode != 0:
            raise NotPassed(f"ended with status {process.returncode}; try it by hand with JSON on its standard input")

    async def _post(self, body: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self._settings.url, data=body, headers=headers, allow_redirects=False) as answer,
        ):
            if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
                raise NotPassed(f"answered {answer.status}")

    def _fault(self, channel: str, why: str) -> None:
        self._tell(AlarmNotPassed(channel, why))
