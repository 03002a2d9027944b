"""Fixtures that every test may ask for."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import hypothesis
import pytest

from callback.store import engine
from tests.browser import _stay, page, regulars, running_chromium, visitors
from tests.databases import database_url, postgres_binaries, postgres_server
from tests.dates import ROOMS
from tests.live.lab import agent, agent1, agent2, asterisk_tree, carrier, floor_asterisk, pbx, running_asterisk
from tests.redises import redis_binary, redis_server

__all__ = [
    "_stay",
    "agent",
    "agent1",
    "agent2",
    "asterisk_tree",
    "carrier",
    "database_url",
    "floor_asterisk",
    "page",
    "pbx",
    "postgres_binaries",
    "postgres_server",
    "redis_binary",
    "redis_server",
    "regulars",
    "running_asterisk",
    "running_chromium",
    "visitors",
]

MEMORY: Final = Path("/dev/shm")
ROOM: Final = 2 << 30


def _files_in_memory() -> None:
    """Let all that tests and what they start put into temporary folders stay in memory, where there is room.

    What is committed is written through to the disk each time: six at once wait for each other there, and a test that
    counts seconds fails. Whoever says TMPDIR decides.
    """
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and os.access(MEMORY, os.W_OK):
        about = os.statvfs(MEMORY)
        if about.f_bavail * about.f_frsize >= ROOM and not about.f_flag & os.ST_NOEXEC:
            os.environ["TMPDIR"], tempfile.tempdir = str(MEMORY), None


_files_in_memory()

hypothesis.settings.register_profile(
    "house",
    deadline=None,
    max_examples=60,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],  # it measures how busy the machine is
)
hypothesis.settings.register_profile("long", hypothesis.settings.get_profile("house"), max_examples=20_000)
hypothesis.settings.register_profile("short", hypothesis.settings.get_profile("house"), max_examples=15)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))


LONG_S: Final = 300
"""A live test, or one of many examples, that takes longer hangs; others hang after what pyproject.toml says."""
NICE: Final = 5
SPREAD: Final = 0.85


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say of each test what it needs, and put those that wait among those that compute."""
    for item in items:
        _mark(item, frozenset(getattr(item, "fixturenames", ())))
    items[:] = _mixed(items)


def _mark(item: pytest.Item, fixtures: frozenset[str]) -> None:
    if "running_chromium" in fixtures:
        item.add_marker("browser")
    if "postgres_server" in fixtures:
        item.add_marker("postgresql")
    if not item.get_closest_marker("timeout") and (_waits(item) or _is_long(item)):
        item.add_marker(pytest.mark.timeout(LONG_S))
    elsewhere = ("live", "browser", "redis", "postgresql")
    if item.nodeid.startswith(ROOMS) and not any(item.get_closest_marker(one) for one in elsewhere):
        item.add_marker("days")


def _mixed(items: list[pytest.Item]) -> list[pytest.Item]:
    """Spread the tests that wait for phones over those that compute: neither the cores nor the phones ever rest.

    They end before the others do, so that nobody waits for the last of them alone. What hypothesis looks at for long
    comes first.
    """
    waiting = [item for item in items if _waits(item)]
    computing = [item for item in items if not _waits(item)]
    computing.sort(key=lambda item: not _is_long(item))
    placed = [(SPREAD * place / len(waiting), item) for place, item in enumerate(waiting)]
    placed += [(place / len(computing), item) for place, item in enumerate(computing)]
    return [item for _, item in sorted(placed, key=lambda one: one[0])]


def _is_long(item: pytest.Item) -> bool:
    return "invariants" in item.path.name


def _waits(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in ("live", "install"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Phones ring in real time: a test with them, and all that it starts, goes before those that compute."""
    with suppress(PermissionError):  # who may not go back to where they were stays behind with all tests
        os.setpriority(os.PRIO_PROCESS, 0, 0 if _waits(item) else NICE)


@pytest.fixture(autouse=True, scope="session")
def _patient() -> Iterator[None]:
    """Many at once on two cores may stand still for longer than a transaction of ours may, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patience = str(engine._POSTGRESQL["options"]).replace("session_timeout=5s", "session_timeout=60s")  # noqa: SLF001
        patch.setitem(engine._POSTGRESQL, "options", patience)  # noqa: SLF001
        yield
