"""Whether something was committed is known at once, and nothing that was is missed."""

from __future__ import annotations

from pathlib import Path

import pytest

from callback.errors import StoreError
from callback.store.changes import Changes
from callback.store.engine import Store
from tests.callback.world import NOON, World, call, migrated


def test_a_commit_of_another_connection_is_noticed(sqlite_world: World) -> None:
    changes = Changes(sqlite_world.store)
    assert changes.may_have_been()
    assert not changes.may_have_been()
    sqlite_world.hear(call())
    assert changes.may_have_been()
    assert not changes.may_have_been()
    with sqlite_world.store.read() as connection:
        sqlite_world.work(connection, NOON)
    assert not changes.may_have_been()
    changes.close()


def test_a_server_may_always_have_changed(migrated_postgres: tuple[str, Store]) -> None:
    changes = Changes(migrated_postgres[1])
    assert changes.may_have_been()
    assert changes.may_have_been()
    changes.close()


def test_a_database_that_is_gone_is_told_and_one_that_is_back_has_changed(tmp_path: Path) -> None:
    file = tmp_path / "here.db"
    store = migrated(f"sqlite:///{file}")
    changes = Changes(store)
    assert changes.may_have_been()
    away = file.rename(tmp_path / "away.db")
    with pytest.raises(StoreError, match="is empty"):
        changes.may_have_been()
    away.rename(file)
    assert changes.may_have_been()
    changes.close()
    store.close()
