"""How far the journal of a PBX has been committed, and when the service first listened to it."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select, update

from callback.store.inserting import insert_new
from callback.store.tables import checkpoint

# Made once: they run with each commit, and to build a statement costs several times what it costs to run it.
_ADVANCE = update(checkpoint).where(checkpoint.c.pbx == bindparam("of_pbx"))
_FIRST = select(checkpoint.c.first_started_at).where(checkpoint.c.pbx == bindparam("of_pbx"))


def begin(connection: Connection, pbx: str, journal_id: str, now: int) -> tuple[str, int]:
    """The journal and the offset in it to read on from; the first start is remembered when there was none."""
    fresh = {"journal_id": journal_id, "journal_offset": 0, "first_started_at": now, "updated_at": now}
    insert_new(connection, checkpoint, {"pbx": pbx, **fresh})
    row = connection.execute(select(checkpoint).where(checkpoint.c.pbx == pbx)).one()
    return row.journal_id, row.journal_offset


def first_start(connection: Connection, pbx: str) -> int:
    """When the service first listened; losses older than that are never acted on."""
    return int(connection.execute(_FIRST, {"of_pbx": pbx}).scalar_one_or_none() or 0)


def advance(connection: Connection, pbx: str, journal_id: str, offset: int, now: int) -> None:
    """Commit, with what it was needed for, that the journal before `offset` may go."""
    moved = {"journal_id": journal_id, "journal_offset": offset, "updated_at": now}
    connection.execute(_ADVANCE, {"of_pbx": pbx} | moved)
