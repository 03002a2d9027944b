"""The picture of a PBX, as the next process finds it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import update

from callback.attempts import snapshot
from callback.store import tables as t
from tests.callback.world import MINUTE, NOON, World, picture


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    made = World(migrated_url)
    yield made
    made.close()


@pytest.mark.parametrize("heard_at", [NOON, None])
def test_when_the_pbx_was_listened_to_is_not_when_the_picture_was_taken(world: World, heard_at: int | None) -> None:
    with world.store.write() as connection:
        snapshot.store(connection, "main", replace(picture(), heard_at=heard_at), NOON + MINUTE)
        seen = snapshot.recall(connection, "main")
    assert seen is not None
    assert (seen[0].heard_at, seen[1]) == (heard_at, NOON + MINUTE)


def test_a_picture_of_an_earlier_version_was_taken_while_somebody_listened(world: World) -> None:
    with world.store.write() as connection:
        snapshot.store(connection, "main", picture(), NOON)
        old = {key: value for key, value in picture().as_json().items() if key != "heard_at"}
        connection.execute(update(t.live_view).values(body=old))
        seen = snapshot.recall(connection, "main")
    assert seen is not None
    assert seen[0].heard_at == NOON
