"""The Redis of the tests: one for each test that asks, begun and ended with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab import redis
from lab.errors import LabError
from tests.parts import missing

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def redis_binary() -> redis.Binary:
    """The program of a Redis, fetched if need be."""
    try:
        return redis.find()
    except LabError as error:
        missing(f"Redis: {error}")


@pytest.fixture
def redis_server(redis_binary: redis.Binary) -> Iterator[redis.Server]:
    """A Redis of this test alone, which it may kill: to begin one takes some milliseconds."""
    with redis.serve(redis_binary) as server:
        yield server
