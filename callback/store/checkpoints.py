"""How far the journal of a PBX has been committed, and when the service first listened to it."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from callback.store.inserting import insert_new
from callback.store.tables import checkpoint


def begin(connection: Connection, pbx: str, now: int) -> int:
    """The journal offset to hear from; the first start is remembered when there was none."""
    insert_new(connection, checkpoint, {"pbx": pbx, "journal_offset": 0, "first_started_at": now, "updated_at": now})
    return int(connection.execute(select(checkpoint.c.journal_offset).where(checkpoint.c.pbx == pbx)).scalar_one())


def first_start(connection: Connection, pbx: str) -> int:
    """When the service first listened; losses older than that are never acted on."""
    first = select(checkpoint.c.first_started_at).where(checkpoint.c.pbx == pbx)
    return int(connection.execute(first).scalar_one_or_none() or 0)


def advance(connection: Connection, pbx: str, offset: int, now: int) -> None:
    """Commit, with what it was needed for, that the journal before `offset` may go."""
    moved = {"journal_offset": offset, "updated_at": now}
    connection.execute(update(checkpoint).where(checkpoint.c.pbx == pbx).values(**moved))
