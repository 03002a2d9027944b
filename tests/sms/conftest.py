"""Fixtures of the texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sms.database import Database, open_engine

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An outbox on SQLite and on PostgreSQL."""
    engine = open_engine(database_url)
    yield Database(engine)
    engine.dispose()
