"""Databases for tests: SQLite and PostgreSQL, fresh for every test."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from lab import postgres
from lab.errors import LabError
from tests.parts import missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_binaries() -> postgres.Binaries:
    """The programs of a PostgreSQL, fetched if need be."""
    try:
        return postgres.find()
    except LabError as error:
        missing(f"PostgreSQL: {error}")


@pytest.fixture(scope="session")
def postgres_server(postgres_binaries: postgres.Binaries) -> Iterator[postgres.Server]:
    """A PostgreSQL of this test process alone, started by the first test that asks for it."""
    with postgres.serve(postgres_binaries) as server:
        yield server


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, for SQLAlchemy; each test that asks runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    server: postgres.Server = request.getfixturevalue("postgres_server")
    name = f"test_{next(_numbers)}"
    yield server.create(name)
    server.drop(name)
