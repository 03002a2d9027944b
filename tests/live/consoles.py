"""The console that a service keeps, as the live tests reach it."""

from __future__ import annotations

import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import pytest

from tests.live.service import Service

START_S: Final = 60


@pytest.fixture
def console() -> str:
    """Where the console will listen."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{found.getsockname()[1]}"


@contextmanager
def with_console(service: Service, console: str) -> Iterator[Service]:
    """Run a service that keeps a console there, from when that answers."""
    with service.settings.open("a") as settings:
        settings.write(f'[console]\nlisten = "{console}"\n')
    with service as running:
        wait_answers(console)
        yield running


def answers(console: str, within_s: float) -> bool:
    """Whether it says that it lives, within so long."""
    with suppress(OSError), urllib.request.urlopen(f"http://{console}/healthz", timeout=within_s) as answer:
        return bool(answer.read() == b"ok\n")
    return False


def wait_answers(console: str) -> None:
    """Wait until it answers."""
    deadline = time.monotonic() + START_S
    while not answers(console, START_S):
        assert time.monotonic() < deadline, "no console answers"
        time.sleep(0.05)
