"""Keeps web processes running beside the service: each by itself, begun again when it dies, ended with the service.

Each gives a sign of life on its standard output. One that gives none for a minute hangs, and is ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from callback.events import ConsoleDied, ConsoleOpened, DoorDied, DoorOpened, Event, MetricsDied, MetricsOpened
from callback.service.watching.deaths import Deaths
from callback.settings.sections import Settings

PAUSES_S: Final = (1.0, 2.0, 5.0, 15.0, 60.0)
LIVED_S: Final = 60.0  # who lived so long begins with the first pause again
END_S: Final = 5.0
SILENT_S: Final = 60.0
FED_EVERY_S: Final = 1.0
_UNREAD: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Kept:
    """A program that is kept running, and what is told of it: that it began, and why it ended.

    `begun` is given its process id, `died` the reason and after how many seconds it is begun again. On its standard
    input it gets what `fed` gives, each second.
    """

    name: str
    command: Sequence[str]
    begun: Callable[[int], Event]
    died: Callable[[str, float], Event]
    fed: Callable[[], bytes] | None = None


def kept(settings: Settings, settings_file: Path) -> list[Kept]:
    """Give the web processes that these settings ask for.

    Each ends when its standard input does, however the service ends.
    """
    found = []
    if settings.web.listen:
        found.append(Kept("door", _command("door", settings_file), DoorOpened, DoorDied))
    if settings.console.listen:
        url = settings.console.url
        opened = Kept("console", _command("console", settings_file), lambda pid: ConsoleOpened(pid, url), ConsoleDied)
        found.append(opened)
    return found


def watching(settings: Settings, settings_file: Path, fed: Callable[[], bytes]) -> list[Kept]:
    """Give the process that serves metrics and health checks, where these settings ask for it."""
    where = settings.metrics.listen
    if not where:
        return []
    command = _command("metrics", settings_file)
    return [Kept("metrics", command, lambda pid: MetricsOpened(pid, where), MetricsDied, fed)]


def _command(name: str, settings_file: Path) -> list[str]:
    return [sys.executable, "-m", "callback", name, "--settings", str(settings_file), "--until-eof"]


async def keep(
    one: Kept,
    tell: Callable[[Event], None],
    pauses_s: Sequence[float] = PAUSES_S,
    silent_s: float = SILENT_S,
    deaths: Deaths | None = None,
) -> None:
    """Start it, and again whenever it ends by itself or hangs, until cancelled. It never takes the service down."""
    died = 0

    def begun(pid: int) -> None:
        tell(one.begun(pid))
        if deaths is not None:
            deaths.began()

    while True:
        began = time.monotonic()
        why = await _once(one, begun, silent_s)
        died = 1 if time.monotonic() - began > LIVED_S else died + 1
        pause_s = pauses_s[min(died, len(pauses_s)) - 1]
        tell(one.died(why, pause_s))
        if deaths is not None:
            deaths.ended(why)
        await asyncio.sleep(pause_s)


async def _once(one: Kept, begun: Callable[[int], object], silent_s: float) -> str:
    """Give how the process ended; where it hangs, or we are cancelled, end it."""
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(*one.command, stdin=pipe, stdout=pipe)
    except OSError as error:
        return f"it could not be started ({error.strerror})"
    begun(process.pid)
    feeding = asyncio.create_task(_feed(process, one.fed))
    try:
        if process.stdout is not None and await _hangs(process.stdout, silent_s):
            return f"it gave no sign of life for {silent_s:g} s"
        return f"it ended with status {await process.wait()}; what it said last says why"
    finally:
        feeding.cancel()
        if process.returncode is None:
            await end(process)


async def _feed(process: asyncio.subprocess.Process, fed: Callable[[], bytes] | None) -> None:
    """Tell it again and again; what it does not read is not kept for it, and nobody waits until it does."""
    while fed is not None and process.stdin is not None and not process.stdin.is_closing():
        if process.stdin.transport.get_write_buffer_size() < _UNREAD:
            process.stdin.write(fed())
        await asyncio.sleep(FED_EVERY_S)


async def _hangs(signs: asyncio.StreamReader, silent_s: float) -> bool:
    """Wait until there is no sign of life for so long: True; or until there can be none any more, at its end: False."""
    while True:
        try:
            async with asyncio.timeout(silent_s):
                if not await signs.read(1 << 10):
                    return False
        except TimeoutError:
            return True


async def end(process: asyncio.subprocess.Process) -> None:
    """Let a process end that ends with its standard input; kill it where that takes long."""
    if process.stdin is not None:
        process.stdin.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(END_S):
            await process.wait()
            return
    process.kill()
    await process.wait()
