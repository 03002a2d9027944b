"""Service processes of their own, watched, and a PBX that says what was recorded."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from prometheus_client.parser import text_string_to_metric_families

from telephony.simulator.server import Simulator
from tests.callback.service.jobs.parts import SUPPORT

PATIENCE_S: Final = 90.0
SETTINGS: Final = """
[database]
url = "{url}"
[cluster]
node = "{name}"
[pbx]
port = {port}
username = "{username}"
secret = "{secret}"
journal = "{folder}/{name}"
lease_s = 2
[trunks.main]
channel = "PJSIP/trunk"
region = "JP"
[metrics]
listen = "127.0.0.1:{watched}"
[logs]
form = "json"
{web}
[rules]
zone = "Asia/Tokyo"
"""


@dataclass
class Watched:
    """A service process, and where it is watched."""

    process: subprocess.Popen[bytes]
    port: int

    def asks(self, path: str) -> tuple[int, str]:
        """What is answered there; 0 while nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
                return int(answer.status), answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, "{}"

    def until(self, path: str, holds: Callable[[int, dict[str, Any]], bool]) -> dict[str, Any]:
        """Ask until it holds."""
        last, ends = (0, "{}"), time.monotonic() + PATIENCE_S
        while time.monotonic() < ends:
            last = self.asks(path)
            told: dict[str, Any] = json.loads(last[1])
            if holds(last[0], told):
                return told
            time.sleep(0.1)
        raise AssertionError(f"{path}: {last}")

    def wrong(self, word: str) -> str:
        """Wait until it is not ready for that reason; give its sentence."""
        said = self.until("/readyz", lambda status, told: status == 503 and word in told["wrong"])
        return str(said["wrong"][word])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def watched(
    folder: Path, name: str, url: str, pbx: tuple[int, str, str], *more: str, rules: str = ""
) -> Iterator[Watched]:
    file, port = folder / f"{name}.toml", free_port()
    made = {"url": url, "name": name, "port": pbx[0], "username": pbx[1], "secret": pbx[2]}
    web = f'[console]\nlisten = "127.0.0.1:{free_port()}"' if "web" in more else ""
    file.write_text(SETTINGS.format(folder=folder, watched=port, web=web, **made) + rules)
    out = (folder / f"{name}.log").open("wb")
    run = [sys.executable, "-m", "callback", "run", "-s", str(file), *more]
    process = subprocess.Popen(run, stdout=out, stderr=out)
    try:
        yield Watched(process, port)
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
        out.close()


@contextmanager
def simulated() -> Iterator[tuple[int, str, str]]:
    """A PBX that says what was recorded, for as long as the block lasts."""
    began, over = threading.Event(), asyncio.Event()
    found: list[Any] = []

    async def main() -> None:
        async with Simulator(recordings=[SUPPORT]) as simulator:
            found[:] = [asyncio.get_running_loop(), (simulator.port, *simulator.account)]
            began.set()
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    assert began.wait(30)
    try:
        yield found[1]
    finally:
        found[0].call_soon_threadsafe(over.set)
        thread.join(30)


def samples(text: str) -> dict[str, float]:
    return {one.name: one.value for family in text_string_to_metric_families(text) for one in family.samples}
