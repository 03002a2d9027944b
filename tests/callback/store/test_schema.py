"""The schema: the migrations make exactly the tables that the code knows, on both databases."""

from __future__ import annotations

from typing import Any, cast

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData, inspect, text
from sqlalchemy.exc import IntegrityError

from callback.errors import StoreError
from callback.store import schema
from callback.store.engine import Store
from callback.store.tables import metadata, person
from sms.outbox import metadata as sms_metadata
from tests.callback.world import World


def test_migrations_make_the_tables_that_the_code_knows(database_url: str) -> None:
    store = Store(database_url)
    schema.migrate(store)
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, cast("MetaData", [metadata, sms_metadata])) == []
        assert schema.current(connection) == schema.newest()
    store.close()


def test_migrations_make_the_checks_and_conditions_that_the_code_knows(database_url: str) -> None:
    """Alembic compares neither: a CHECK, or the condition of a partial index, would be missed in silence."""
    store = Store(database_url)
    schema.migrate(store)
    migrated = _checks_and_conditions(store)
    store.close()
    made = Store(database_url)
    with made.write() as connection:
        for known in (metadata, sms_metadata):
            known.drop_all(connection)
            known.create_all(connection)
    assert migrated == _checks_and_conditions(made)
    assert {"ck_reservation_state", "ck_attempt_outcome"} <= set(migrated)
    assert migrated["uq_reservation_open"] == "['pbx', 'queue', 'person_id', 'apart'] where open"
    made.close()


def _checks_and_conditions(store: Store) -> dict[str, str]:
    with store.read() as connection:
        found, tables = inspect(connection), [*metadata.tables, *sms_metadata.tables]
        checks = {str(c["name"]): str(c["sqltext"]) for table in tables for c in found.get_check_constraints(table)}
        indexes = {str(index["name"]): index for table in tables for index in found.get_indexes(table)}
    return checks | {name: f"{index['column_names']} where {_where(index)}" for name, index in indexes.items()}


def _where(index: Any) -> str:
    options = index.get("dialect_options", {})
    return str(options.get("sqlite_where", options.get("postgresql_where")))


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    store = Store(database_url)
    schema.migrate(store)
    schema.migrate(store)
    store.close()


def test_a_database_of_a_later_version_is_refused(database_url: str) -> None:
    store = Store(database_url)
    schema.migrate(store)
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="later version"):
        schema.migrate(store)
    store.close()


def test_what_an_older_version_kept_is_kept(database_url: str) -> None:
    store = Store(database_url)
    schema.migrate(store, "0001")
    with store.write() as connection:
        connection.execute(text("INSERT INTO person (id, number, created_at) VALUES (1, '+819012345678', 1)"))
        connection.execute(
            text(
                "INSERT INTO reservation (id, pbx, queue, queue_group, person_id, apart, trunk, kind, state, open,"
                " made_at, last_lost_at, losses, tries, clock_starts_at, aim_at, deadline_at, due_at, state_since_at)"
                " VALUES (1, 'main', 'support', 'site', 1, '', 'main', 'abandoned', 'waiting', true,"
                " 1, 1, 1, 0, 1, 2, 3, 1, 1)"
            )
        )
        connection.execute(
            text("INSERT INTO loss (pbx, call_id, reservation_id, lost_at) VALUES ('main', '1.1', 1, 1)")
        )
    schema.migrate(store)
    with store.read() as connection:
        kept = connection.execute(text("SELECT state, severity, losses FROM reservation")).one()
        losses = connection.execute(text("SELECT count(*) FROM loss WHERE reservation_id = 1")).scalar_one()
    assert (tuple(kept), losses) == (("waiting", 0, 1), 1)
    store.close()


def test_an_error_does_not_tell_what_it_was_about(world: World) -> None:
    """It is logged, and what it is about may be a number or somebody's words."""
    with pytest.raises(IntegrityError) as told, world.store.write() as connection:
        connection.execute(person.insert().values(number="+819012345678", created_at=None))
    assert "9012345678" not in str(told.value).split("DETAIL")[0]
