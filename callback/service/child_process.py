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

from callback.events import ConsoleDied, ConsoleOpened, DoorDied, DoorOpened, Event
from callback.settings.sections import Settings

PAUSES_S: Final = (1.0, 2.0, 5.0, 15.0, 60.0)
LIVED_S: Final = 60.0  # who lived so long begins with the first pause again
END_S: Final = 5.0
SILENT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Kept:
    """A program that is kept running, and what is told of it: that it began, and why it ended.

    `begun` is given its process id, `died` the reason and after how many seconds it is begun again.
    """

    command: Sequence[str]
    begun: Callable[[int], Event]
    died: Callable[[str, float], Event]


def kept(settings: Settings, settings_file: Path) -> list[Kept]:
    """Give the web processes that these settings ask for.

    Each ends when its standard input does, however the service ends.
    """
    found = []
    if settings.web.listen:
        found.append(Kept(_command("door", settings_file), DoorOpened, DoorDied))
    if settings.console.listen:
        url = settings.console.url
        found.append(Kept(_command("console", settings_file), lambda pid: ConsoleOpened(pid, url), ConsoleDied))
    return found


def _command(name: str, settings_file: Path) -> list[str]:
    return [sys.executable, "-m", "callback", name, "--settings", str(settings_file), "--until-eof"]


async def keep(
    one: Kept, tell: Callable[[Event], None], pauses_s: Sequence[float] = PAUSES_S, silent_s: float = SILENT_S
) -> None:
    """Start it, and again whenever it ends by itself or hangs, until cancelled. It never takes the service down."""
    died = 0
    while True:
        began = time.monotonic()
        why = await _once(one.command, lambda pid: tell(one.begun(pid)), silent_s)
        died = 1 if time.monotonic() - began > LIVED_S else died + 1
        pause_s = pauses_s[min(died, len(pauses_s)) - 1]
        tell(one.died(why, pause_s))
        await asyncio.sleep(pause_s)


async def _once(command: Sequence[str], begun: Callable[[int], object], silent_s: float) -> str:
    """Give how the process ended; where it hangs, or we are cancelled, end it."""
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    except OSError as error:
        return f"it could not be started ({error.strerror})"
    begun(process.pid)
    try:
        if process.stdout is not None and await _hangs(process.stdout, silent_s):
            return f"it gave no sign of life for {silent_s:g} s"
        return f"it ended with status {await process.wait()}; what it said last says why"
    finally:
        if process.returncode is None:
            await end(process)


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
