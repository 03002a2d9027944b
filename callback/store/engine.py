"""One engine for SQLite and PostgreSQL alike: short transactions, the database's own clock."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from callback.errors import StoreError

BUSY_TIMEOUT_S = 10
_CLOCK = {
    "sqlite": text("SELECT CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"),
    "postgresql": text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"),
}


class Store:
    """The database. `read()` and `write()` give a connection inside one transaction.

    Writers on SQLite begin IMMEDIATE: a transaction that reads first and writes later would fail at once when another
    writer came between, whatever the busy time-out says.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise StoreError(f"[database] url: {error}") from error
        self.dialect = parsed.get_backend_name()
        sqlite = self.dialect == "sqlite"
        options: dict[str, Any] = {"connect_args": {"timeout": BUSY_TIMEOUT_S}} if sqlite else {"pool_pre_ping": True}
        self.engine = create_engine(parsed, **options)
        self.where = parsed.render_as_string(hide_password=True)
        if sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view; whatever is written in it is undone."""
        with self._open() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, committed when the block ends and undone when it raises."""
        with self._open(write=True) as connection:
            yield connection
            connection.commit()

    @contextmanager
    def _open(self, *, write: bool = False) -> Iterator[Connection]:
        try:
            connection = self.engine.connect().execution_options(lcr_write=write)
            connection.begin()
        except OperationalError as error:
            raise StoreError(self._unusable(error)) from error
        with connection:
            yield connection

    def _unusable(self, error: OperationalError) -> str:
        cause = str(error.orig)
        if "locked" in cause:
            return f"{self.where} is locked by another program for more than {BUSY_TIMEOUT_S} s; close it and try again"
        return f"{self.where} cannot be opened ({cause}); mend [database] url or start the server"

    def now(self) -> int:
        """The database's clock, in microseconds UTC: leases and fencing go by it alone."""
        with self.read() as connection:
            return clock(connection)

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def clock(connection: Connection) -> int:
    """The database's clock, in microseconds UTC."""
    return int(connection.execute(_CLOCK[connection.dialect.name]).scalar_one())


def _prepare_sqlite(dbapi: sqlite3.Connection, _record: object) -> None:
    dbapi.isolation_level = None  # we say BEGIN ourselves
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        dbapi.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("lcr_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
