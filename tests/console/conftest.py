"""Fixtures of the console's pages: a console that is served, and a person who is signed in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.callback.world import World
from tests.console.served import Served, serve


@pytest.fixture
def console_world(tmp_path: Path) -> Iterator[World]:
    """Use cases on a database that the console reads."""
    world = World(f"sqlite:///{tmp_path / 'console.db'}")
    yield world
    world.close()


@pytest.fixture
def console(console_world: World) -> Iterator[Served]:
    """A console that is served, on the database of `console_world`."""
    with serve(console_world) as served:
        yield served
