"""Fixtures of the application: a database that is migrated, and the world on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from callback import clock
from callback.store.engine import Store
from lab import postgres
from tests.callback.world import NOON, World, emptied, kept
from tests.databases import BOTH


@pytest.fixture(autouse=True)
def clock_shows(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Set the clock that commands ask; it stands there, and at NOON in a test that sets none.

    So no test asks the real date beside the fixed one of its calls, whatever day it runs on.
    """

    def shows(at: int) -> None:
        monkeypatch.setattr(clock, "time", SimpleNamespace(time_ns=lambda: at * 1000))

    shows(NOON)
    return shows


@pytest.fixture(scope="session")
def _one_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One SQLite database of this test process, migrated once; its store remembers what it compiled."""
    store = kept(f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'test.db'}")
    yield store
    store.close()


@pytest.fixture(scope="session")
def _one_postgres(postgres_server: postgres.Server) -> Iterator[Store]:
    """One PostgreSQL database of this test process, migrated once."""
    store = kept(postgres_server.create("migrated"))
    yield store
    store.close()


@pytest.fixture
def migrated_postgres(_one_postgres: Store) -> tuple[str, Store]:
    """A PostgreSQL database at the newest schema without a row: its URL, and its store."""
    emptied(_one_postgres)
    return _one_postgres.url, _one_postgres


@pytest.fixture(params=BOTH)
def migrated_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database at the newest schema without a row, on SQLite and on PostgreSQL."""
    store: Store = request.getfixturevalue(f"_one_{'sqlite' if request.param == 'sqlite' else 'postgres'}")
    emptied(store)
    return store.url


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    """Use cases on a database of the test's own."""
    made = World(migrated_url)
    yield made
    made.close()


@pytest.fixture
def sqlite_world(_one_sqlite: Store) -> World:
    """The same on SQLite alone: for tables of cases whose SQL other tests try on both."""
    emptied(_one_sqlite)
    return World(_one_sqlite.url)
