"""Fixtures that every test may ask for."""

from __future__ import annotations

import hypothesis
import pytest

from tests.databases import database_url, postgres_binaries, postgres_server
from tests.live import agent, agent1, agent2, asterisk_tree, carrier, pbx, running_asterisk

__all__ = [
    "agent",
    "agent1",
    "agent2",
    "asterisk_tree",
    "carrier",
    "database_url",
    "pbx",
    "postgres_binaries",
    "postgres_server",
    "running_asterisk",
]

hypothesis.settings.register_profile(
    "house",
    deadline=None,
    max_examples=60,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],  # it measures how busy the machine is
)
hypothesis.settings.load_profile("house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long (it waits for phones to ring, mostly): the quick tests fill the gaps."""
    items.sort(key=lambda item: item.get_closest_marker("live") is None and "test_invariants" not in item.nodeid)
