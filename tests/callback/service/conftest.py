"""Worlds that live now, as the simulator and the databases do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.callback.service.jobs.parts import now_us, rules
from tests.callback.world import World


@pytest.fixture
def today(migrated_url: str) -> Iterator[World]:
    """A site at which it is about noon now."""
    made = World(migrated_url, rules(), now=now_us())
    yield made
    made.close()
