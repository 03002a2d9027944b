"""`callback run` as a process of its own, beside something that is no PBX: what it tells, and how it ends."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SETTINGS = """
[database]
url = "sqlite:///{folder}/calls.db"
[pbx]
port = {port}
username = "u"
secret = "s"
journal = "{folder}/journal"
[trunks.main]
channel = "PJSIP/trunk"
region = "JP"
[rules]
zone = "Asia/Tokyo"
"""


@pytest.fixture
def closing() -> Iterator[socket.socket]:
    """A port that takes a connection for each `accept`; whoever takes one, closes it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        yield server


def taken(server: socket.socket, tries: int) -> None:
    """Let it try so often, and be cut off each time."""
    for _ in range(tries):
        server.accept()[0].close()


AT_HANGUP = (
    "import os, signal, sys; signal.signal(signal.SIGHUP, signal.{});"
    " os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)


def started(folder: Path, port: int, at_hangup: str = "SIG_DFL") -> subprocess.Popen[str]:
    """Start it with a hang-up as it is by default, or ignored, however these tests were started."""
    file = folder / "callback.toml"
    file.write_text(SETTINGS.format(folder=folder, port=port))
    run = [sys.executable, "-c", AT_HANGUP.format(at_hangup), "-m", "callback", "run", "-s", str(file)]
    return subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def ended(process: subprocess.Popen[str], number: int) -> tuple[int, list[str]]:
    try:
        process.send_signal(number)
        out, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    return process.returncode, out.splitlines()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_says_that_it_ends_and_told_once_that_the_pbx_is_away(
    tmp_path: Path, closing: socket.socket, number: int
) -> None:
    process = started(tmp_path, closing.getsockname()[1])
    taken(closing, 4)
    status, lines = ended(process, number)
    assert status == 0
    told = [line[10:].split()[0] for line in lines]
    assert (told[0], told[-1], told.count("pbx-down")) == ("started", "stopped", 1), lines
    (away,) = (line for line in lines if " pbx-down " in line)
    assert "main is away: " in away
    assert "; start Asterisk, or see [pbx] host" in away
    times = [re.match(r"\d\d:\d\d:\d\d  ", line) for line in lines]
    assert all(times)


def test_under_nohup_it_outlives_its_terminal(tmp_path: Path, closing: socket.socket) -> None:
    process = started(tmp_path, closing.getsockname()[1], "SIG_IGN")
    taken(closing, 1)
    process.send_signal(signal.SIGHUP)
    taken(closing, 2)
    status, lines = ended(process, signal.SIGTERM)
    assert (status, lines[-1][10:].strip()) == (0, "stopped")
