"""A small database for the outbox alone: its own engine, apart from the application."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, select

from sms import outbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import RowMapping
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

NOW = 1_760_000_000_000_000


def open_engine(url: str, **options: Any) -> Engine:
    """Transactions that write begin IMMEDIATE on SQLite, as the outbox asks for."""
    engine = create_engine(url, **options)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin_immediate)
    outbox.metadata.create_all(engine)
    return engine


def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver must not begin by itself
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=OFF", "busy_timeout=20000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(conn: Connection) -> None:
    conn.exec_driver_sql("BEGIN IMMEDIATE")


class Database:
    """Opens transactions, fills the outbox and reads it back."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        with self.engine.begin() as conn:
            yield conn

    def put(
        self, cause: str, *, not_before_at: int = NOW, expires_at: int = NOW + 3600 * outbox.SECOND, **more: str
    ) -> bool:
        with self.transaction() as conn:
            return put(conn, cause, not_before_at=not_before_at, expires_at=expires_at, **more)

    def row(self, cause: str) -> RowMapping:
        with self.transaction() as conn:
            wanted = select(outbox.text_outbox).where(outbox.text_outbox.c.cause == cause)
            return conn.execute(wanted).mappings().one()

    def state(self, cause: str) -> str:
        return str(self.row(cause)["state"])

    def states(self) -> dict[str, str]:
        with self.transaction() as conn:
            rows = conn.execute(select(outbox.text_outbox.c.cause, outbox.text_outbox.c.state))
            return {row.cause: row.state for row in rows}

    def fill(self, rows: list[dict[str, object]]) -> None:
        with self.transaction() as conn:
            conn.execute(insert(outbox.text_outbox), rows)


def put(
    conn: Connection,
    cause: str,
    *,
    not_before_at: int = NOW,
    expires_at: int = NOW + 3600 * outbox.SECOND,
    person: str = "",
    prefix: str = "",
    recipient: str = "",
) -> bool:
    text = outbox.NewText(
        cause=cause,
        pbx="main",
        recipient=recipient or f"person:{cause}",
        template="lost",
        language="en",
        body=f"We call you back ({cause}).",
        not_before_at=not_before_at,
        expires_at=expires_at,
        line="sales",
        person=person,
        prefix=prefix,
    )
    return outbox.put(conn, text, NOW)
