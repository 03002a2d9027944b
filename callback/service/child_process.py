"""Keeps the web server running beside the service: in a process of its own, begun again when it dies, ended with it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from callback.events import DoorDied, DoorOpened, Event

PAUSES_S: Final = (1.0, 2.0, 5.0, 15.0, 60.0)
LIVED_S: Final = 60.0  # who lived so long begins with the first pause again
END_S: Final = 5.0


def command(settings_file: Path) -> list[str]:
    """How a service starts the web server: it ends when its standard input does, however the service ends."""
    return [sys.executable, "-m", "callback", "door", "--settings", str(settings_file), "--until-eof"]


async def keep(
    started_by: Sequence[str],
    tell: Callable[[Event], None],
    pauses_s: Sequence[float] = PAUSES_S,
) -> None:
    """Start it, and again whenever it ends by itself, until cancelled. It never takes the service down."""
    died = 0
    while True:
        began = time.monotonic()
        why = await _once(started_by, lambda pid: tell(DoorOpened(pid)))
        died = 1 if time.monotonic() - began > LIVED_S else died + 1
        pause_s = pauses_s[min(died, len(pauses_s)) - 1]
        tell(DoorDied(why, pause_s))
        await asyncio.sleep(pause_s)


async def _once(started_by: Sequence[str], begun: Callable[[int], object]) -> str:
    """Give how the process ended; cancelled, end it."""
    try:
        process = await asyncio.create_subprocess_exec(*started_by, stdin=asyncio.subprocess.PIPE)
    except OSError as error:
        return f"it could not be started ({error.strerror})"
    begun(process.pid)
    try:
        return f"it ended with status {await process.wait()}; what it said last says why"
    finally:
        if process.returncode is None:
            await end(process)


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
