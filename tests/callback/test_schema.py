"""The schema: the migrations make exactly the tables that the code knows, on both databases."""

from __future__ import annotations

from typing import cast

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData, text

from callback.errors import StoreError
from callback.store import schema
from callback.store.engine import Store
from callback.store.tables import metadata
from sms.outbox import metadata as sms_metadata


def test_migrations_make_the_tables_that_the_code_knows(database_url: str) -> None:
    store = Store(database_url)
    schema.migrate(store)
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, cast("MetaData", [metadata, sms_metadata])) == []
        assert schema.current(connection) == schema.newest()
    store.close()


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
