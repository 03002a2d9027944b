"""Fixtures that every test may ask for."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

import hypothesis
import pytest

from tests.browser import _stay, page, regulars, running_chromium, visitors
from tests.databases import database_url, postgres_binaries, postgres_server
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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long (it waits for phones to ring, mostly): the quick tests fill the gaps."""
    for item in items:
        if "running_chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    items.sort(key=lambda item: item.get_closest_marker("live") is None and "test_invariants" not in item.nodeid)
