"""Fixtures of the application: a database that is migrated, and the world on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from callback.store.engine import Store
from lab import postgres
from tests.callback.world import World, emptied, migrated
from tests.databases import BOTH


@pytest.fixture(scope="session")
def _one_postgres(postgres_server: postgres.Server) -> Iterator[tuple[str, Store]]:
    """One PostgreSQL database of this test process, migrated once."""
    url = postgres_server.create("migrated")
    store = migrated(url)
    yield url, store
    store.close()


@pytest.fixture
def migrated_postgres(_one_postgres: tuple[str, Store]) -> tuple[str, Store]:
    """A PostgreSQL database at the newest schema without a row: its URL, and its store."""
    emptied(_one_postgres[1])
    return _one_postgres


@pytest.fixture(params=BOTH)
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database at the newest schema without a row, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    url, _ = request.getfixturevalue("migrated_postgres")
    return str(url)


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    """Use cases on a database of the test's own."""
    made = World(migrated_url)
    yield made
    made.close()
