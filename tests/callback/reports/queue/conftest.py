"""A site with three queues of two groups."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.callback.world import ON, World, rules

_TRADE = ON.model_copy(update={"group": "trade"})


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    made = World(migrated_url, rules(queues={"support": ON, "sales": _TRADE, "desk": ON}, incident_losses=1000))
    yield made
    made.close()
