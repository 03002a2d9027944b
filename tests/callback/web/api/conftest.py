"""The API for tests, without a server."""

from __future__ import annotations

import pytest

from tests.callback.web.api.programs import Office
from tests.callback.world import World


@pytest.fixture
def office(world: World) -> Office:
    """The API, on both databases."""
    return Office(world)


@pytest.fixture
def sqlite_office(sqlite_world: World) -> Office:
    """The same on SQLite alone."""
    return Office(sqlite_world)
