"""A new row whose number people and links name: after a restore it is none that was given away since the backup."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Case, Connection, Table, case, func, insert, select
from sqlalchemy.sql.dml import ReturningInsert

from callback.store import tables as t


def insert_numbered(connection: Connection, table: Table, values: dict[str, Any]) -> int:
    """Insert a row, and give its number."""
    return int(connection.execute(_statement(table, connection.dialect.name), values).scalar_one())


@cache
def _statement(table: Table, dialect: str) -> ReturningInsert[Any]:
    """Made once: to build a statement costs several times what it costs to run it."""
    new = insert(table).returning(table.c.id)
    return new.values(id=_next(table)) if dialect == "sqlite" else new


def _next(table: Table) -> Case[int | None]:
    """SQLite has no sequence, that a restore could set: numbers go on from `first_free`. NULL: the next one."""
    last = select(func.coalesce(func.max(table.c.id), 0)).scalar_subquery()
    free = select(func.max(t.restored.c.first_free)).scalar_subquery()
    return case((last < free, free))
