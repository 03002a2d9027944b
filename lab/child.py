"""Processes that never outlive us: not even when we are killed."""

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from lab import tether

_starter = ThreadPoolExecutor(1, thread_name_prefix="lab-starter")
"""Starts every child: it hears of its parent's death when the *thread* that made it ends, so this one never does."""


def start(
    command: Sequence[str], *, out: IO[bytes] | int, errors: IO[bytes] | int | None = None
) -> subprocess.Popen[bytes]:
    """Start `command`, an absolute path first, so that it ends when this process does.

    Its pid is the command's own. Ctrl-C at the terminal does not reach it: whoever started it ends it, in order.
    """

    def popen() -> subprocess.Popen[bytes]:
        tethered = [sys.executable, "-I", tether.__file__, str(os.getpid()), *command]
        return subprocess.Popen(tethered, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, start_new_session=True)

    return _starter.submit(popen).result()


def stop(process: subprocess.Popen[bytes], within_s: float) -> int:
    """Ask it to end (SIGTERM), make it end if it takes too long, and give its status."""
    if process.poll() is None:
        process.terminate()
        try:
            return process.wait(within_s)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def children(pid: int) -> list[int]:
    """The processes that this one began and that live; none where it has ended."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:
        return []
