"""The console that a service keeps, as the live tests reach it."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import pytest
from playwright.sync_api import Page

from tests.live.service import Service

START_S: Final = 60
CHOSEN: Final = "seven quiet herons wade"
"""The password that a person of these tests chooses."""


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


def first_sign_in(page: Page, service: Service, console: str, path: str, name: str, *options: str) -> None:
    """Add a person by the command, sign in on that page with the one-time password, and choose one of the own."""
    add = [sys.executable, "-m", "callback", "user", "add", name, *options, "-s", str(service.settings)]
    told = subprocess.run(add, capture_output=True, text=True, check=True).stdout
    (password,) = re.findall(r"\b[a-z0-9]{5}-[a-z0-9]{5}-[a-z0-9]{5}\b", told)
    page.goto(f"http://{console}{path}")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("The password that you have").fill(password)
    page.get_by_label("The new password", exact=True).fill(CHOSEN)
    page.get_by_label("The new password once more").fill(CHOSEN)
    page.get_by_role("button", name="Keep it").click()
