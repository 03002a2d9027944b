"""INSERT … ON CONFLICT DO NOTHING on both databases."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_new(connection: Connection, table: Table, values: dict[str, Any]) -> bool:
    """Insert the row unless one with its key is there; True when it was new."""
    return connection.execute(_statement(connection.dialect.name, table), values).rowcount == 1


def insert_all_new(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert those rows of which there is none with their key."""
    connection.execute(_statement(connection.dialect.name, table), rows)


@cache
def _statement(dialect: str, table: Table) -> Insert:
    """Made once: to build a statement costs several times what it costs to run it."""
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    # Where a table numbers its rows, PostgreSQL is asked for the new number, and the rows would not be counted
    return insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
