"""INSERT … ON CONFLICT DO NOTHING on both databases."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, Insert, Table


def insert_new(connection: Connection, table: Table, values: dict[str, Any]) -> bool:
    """Insert the row unless one with its key is there; True when it was new."""
    return connection.execute(_statement(connection.dialect.name, table), values).rowcount == 1


def insert_all_new(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert those rows of which there is none with their key."""
    connection.execute(_statement(connection.dialect.name, table), rows)


@cache
def _statement(dialect: str, table: Table) -> Insert:
    """Made once: to build a statement costs several times what it costs to run it."""
    insert: Callable[[Table], Any] = import_module(f"sqlalchemy.dialects.{dialect}").insert  # each takes its time
    # Where a table numbers its rows, PostgreSQL is asked for the new number, and the rows would not be counted
    statement: Insert = insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
    return statement
