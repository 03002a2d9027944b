"""Batches: very many texts of one occasion, which leave after all others and may be taken back as one.

Few of them wait at a time: whoever has a batch to send writes the next when the last have left, and takes back what
could not leave in time (it does not expire, as others do). What is taken back is as if it was never written, so that it
may be written again; what somebody has begun to send stays, and is sent no second time should it come back.

As in `outbox`, every function works in the caller's transaction; `now` is the database's clock in microseconds UTC.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, select, update

from sms.outbox import NewText
from sms.tables import ANY_BATCH, IN_BATCH, SENDING, insert_unless, text_outbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

_columns = text_outbox.c
# Made once: to build a statement costs several times what it costs to run it.
_OF = _columns.batch == bindparam("of_batch")
_WAITING = select(func.count()).select_from(text_outbox).where(IN_BATCH, _OF)
_TAKEN_BACK = delete(text_outbox).where(IN_BATCH, _OF).returning(_columns.recipient)
_LATE = _TAKEN_BACK.where(_columns.expires_at <= bindparam("now"))
_NO_MORE = update(text_outbox).where(SENDING, ANY_BATCH, _OF).values(expires_at=bindparam("now"))
_COUNTED = (
    select(_columns.state, _columns.delivery, func.count())
    .where(ANY_BATCH, _OF)
    .group_by(_columns.state, _columns.delivery)
)


def put_all(conn: Connection, texts: Sequence[NewText], now: int) -> None:
    """Write texts that wait to be sent; none for a cause that has one already, whatever became of it."""
    values = [{**asdict(text), "state": "waiting", "created_at": now, "tries": 0, "fence": 0} for text in texts]
    if values:
        conn.execute(insert_unless(conn, text_outbox, "cause"), values)


def waiting(conn: Connection, batch: str) -> int:
    """How many texts of the batch nobody has begun to send."""
    return int(conn.execute(_WAITING, {"of_batch": batch}).scalar_one())


def take_back(conn: Connection, batch: str, now: int) -> list[str]:
    """Take back every text of the batch that nobody has begun to send; give to whom they were.

    Those that are just being sent are sent no second time: should they come back, they are late, and taken back later.
    """
    taken = list(conn.execute(_TAKEN_BACK, {"of_batch": batch}).scalars())
    conn.execute(_NO_MORE, {"of_batch": batch, "now": now})
    return taken


def take_back_late(conn: Connection, batch: str, now: int) -> list[str]:
    """Take back those that could not leave in time; give to whom they were."""
    return list(conn.execute(_LATE, {"of_batch": batch, "now": now}).scalars())


def counted(conn: Connection, batch: str) -> dict[tuple[str, str | None], int]:
    """How many texts of the batch there are, by their state and how far the gateway says that they came."""
    return {(state, delivery): many for state, delivery, many in conn.execute(_COUNTED, {"of_batch": batch})}
