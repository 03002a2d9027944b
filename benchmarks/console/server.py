"""The console's own process, as `callback run` starts it, and how much memory it takes."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.errors import BenchmarkError
from benchmarks.figures import cpu_s, tree_rss_mb

START_S: Final = 60.0
EVERY_S: Final = 1.0


@dataclass(slots=True)
class Usage:
    """What the process took while it ran: memory each second, and processor seconds."""

    rss_mb: list[float] = field(default_factory=list)
    cpu_s: float = 0.0


@contextmanager
def running(settings_file: Path, url: str) -> Iterator[Usage]:
    """Run the console meanwhile; it answers when the block begins."""
    command = [sys.executable, "-m", "callback", "console", "--settings", str(settings_file)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
    usage, over = Usage(), threading.Event()
    sampling = threading.Thread(target=_sample, args=(process.pid, usage, over))
    try:
        _wait_for(process, f"{url}/healthz")
        sampling.start()
        yield usage
        over.set()
        sampling.join()
        usage.cpu_s = cpu_s(process.pid)
        process.terminate()
        if (status := process.wait(START_S)) != 0:
            raise BenchmarkError(f"the console ended with status {status}")
    finally:
        over.set()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()


def free_port() -> int:
    """Give a port where nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait_for(process: subprocess.Popen[bytes], url: str) -> None:
    deadline_s = time.monotonic() + START_S
    while time.monotonic() < deadline_s:
        if process.poll() is not None:
            raise BenchmarkError(f"the console ended with status {process.returncode}; what it said stands above")
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - our own
            return
        time.sleep(0.1)
    raise BenchmarkError(f"the console did not answer within {START_S:g} s")


def _sample(pid: int, usage: Usage, over: threading.Event) -> None:
    while not over.wait(EVERY_S):
        usage.rss_mb.append(tree_rss_mb(pid))
