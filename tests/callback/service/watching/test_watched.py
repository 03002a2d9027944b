"""`callback run` as processes of their own, watched: each reason not to be ready comes, is said, and goes."""

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

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from lab import postgres
from telephony.simulator.server import Simulator
from tests.callback.service.jobs.parts import SUPPORT

PATIENCE_S: Final = 90.0
pytestmark = pytest.mark.timeout(240)  # several processes start, and each waits for the others
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
def watched(folder: Path, name: str, url: str, pbx: tuple[int, str, str], *more: str) -> Iterator[Watched]:
    file, port = folder / f"{name}.toml", free_port()
    made = {"url": url, "name": name, "port": pbx[0], "username": pbx[1], "secret": pbx[2]}
    web = f'[console]\nlisten = "127.0.0.1:{free_port()}"' if "web" in more else ""
    file.write_text(SETTINGS.format(folder=folder, watched=port, web=web, **made))
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


def let_in(server: postgres.Server, whether: str) -> None:
    """Let nobody into the database `watched`, and end who is in it; or let them in again."""
    with psycopg.connect(server.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE watched ALLOW_CONNECTIONS {whether}")
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'watched'")


def samples(text: str) -> dict[str, float]:
    return {one.name: one.value for family in text_string_to_metric_families(text) for one in family.samples}


def test_one_that_is_deaf_is_said_by_itself_and_by_who_sees_no_fresh_picture(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"
    with simulated() as pbx, watched(tmp_path, "one", url, pbx) as one:
        told = one.until("/readyz", lambda status, _: status == 200)
        assert (told["role"], told["node"], told["state"], told["stands_by"]) == ("all", "one", "at-work", False)
        found = samples(one.asks("/metrics")[1])
        assert (found["lcr_node_up"], found["lcr_ami_connected"], found["lcr_database_up"]) == (1, 1, 1)
        assert found["lcr_ami_messages_total"] > 0
        with watched(tmp_path, "web", url, pbx, "--role", "web") as web:
            web.until("/readyz", lambda status, _: status == 200)
            one.process.send_signal(signal.SIGSTOP)  # nothing that the PBX says is heard any more
            assert "told nothing for" in one.wrong("hangs")
            assert one.asks("/healthz")[0] == 503
            assert "old: no service listens" in web.wrong("picture-stale")
            assert web.asks("/healthz")[0] == 200
            one.process.send_signal(signal.SIGCONT)
            one.until("/readyz", lambda status, _: status == 200)
            web.until("/readyz", lambda status, _: status == 200)


def test_who_stands_by_says_so_and_is_at_work_when_its_turn_comes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"
    with simulated() as pbx, watched(tmp_path, "one", url, pbx) as one:
        one.until("/readyz", lambda status, _: status == 200)
        with watched(tmp_path, "other", url, pbx) as other:
            waits = other.until("/readyz", lambda status, said: status == 200 and bool(said["stands_by"]))
            assert (waits["node"], waits["state"]) == ("other", "stands-by")
            one.process.terminate()
            other.until("/readyz", lambda status, said: status == 200 and not said["stands_by"])


def test_a_pbx_that_is_cut_off_is_said(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"
    with watched(tmp_path, "one", url, (free_port(), "u", "s")) as one:
        assert one.wrong("pbx-not-connected")
        assert one.asks("/healthz")[0] == 200  # a restart would not bring the PBX back
        assert samples(one.asks("/metrics")[1])["lcr_ami_connected"] == 0
    for line in (tmp_path / "one.log").read_text().splitlines():
        written = json.loads(line)
        assert {"pbx", "node", "role", "says", "level", "time"} <= written.keys(), line


@pytest.mark.postgresql
def test_a_database_that_is_away_is_said_and_the_process_lives(
    tmp_path: Path, postgres_server: postgres.Server
) -> None:
    url = postgres_server.create("watched")
    with simulated() as pbx, watched(tmp_path, "one", url, pbx) as one:
        one.until("/readyz", lambda status, _: status == 200)
        let_in(postgres_server, "false")
        assert one.wrong("database-away")
        assert one.asks("/healthz")[0] == 200
        let_in(postgres_server, "true")
        one.until("/readyz", lambda status, _: status == 200)
