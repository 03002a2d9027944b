"""Fixtures of the console's pages: a console that is served, and a person who is signed in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.callback.world import World
from tests.console import seeded
from tests.console.centre import NOW, Centre
from tests.console.served import Served, serve
from tests.console.specimen import Specimen


@pytest.fixture
def console_world(tmp_path: Path) -> Iterator[World]:
    """Use cases on a database that the console reads."""
    world = World(f"sqlite:///{tmp_path / 'console.db'}")
    yield world
    world.close()


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    """The centre that all pages are looked at with: reservations by name, in every lane and end."""
    made = seeded.fresh(tmp_path)
    yield made
    made.world.close()


@pytest.fixture
def console(centre: Centre) -> Iterator[Served]:
    """A console that is served for `centre`, at the moment that it has lived until."""
    with serve(centre.world, NOW) as served:
        yield served


@pytest.fixture
def specimen() -> Iterator[Specimen]:
    """A list that the test moves; its streams end with the test."""
    made = Specimen(
        {"calling": [1], "aim": list(range(2, 8)), "binds": [8, 9], "window": [10, 11, 12], "late": [13], "held": []}
    )
    yield made
    made.end()


@pytest.fixture
def showing(console_world: World, specimen: Specimen) -> Iterator[Served]:
    """A console with one page more, `/specimen`."""
    with serve(console_world, more=specimen.join) as served:
        yield served
        specimen.end()
