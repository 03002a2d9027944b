"""A console for tests, without a server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.callback.web.console.clients import PUBLIC, Desk, desk_of
from tests.callback.world import World


@pytest.fixture
def desk(world: World) -> Iterator[Desk]:
    """A console on this machine, on both databases."""
    with desk_of(world) as made:
        yield made


@pytest.fixture
def sqlite_desk(sqlite_world: World) -> Iterator[Desk]:
    """The same on SQLite alone."""
    with desk_of(sqlite_world) as made:
        yield made


@pytest.fixture
def public_desk(sqlite_world: World) -> Iterator[Desk]:
    """A console behind a proxy with a certificate."""
    with desk_of(sqlite_world, PUBLIC) as made:
        yield made
