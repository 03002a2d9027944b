"""Texts that are old: that there was one stays, what it said goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, func, or_, select, update

from sms.tables import text_outbox

if TYPE_CHECKING:
    from sqlalchemy import Connection

_columns = text_outbox.c
_SAID: Final = (
    _columns.settled_at < bindparam("before"),
    or_(_columns.body != "", _columns.gateway_ref.is_not(None), _columns.prefix != ""),
)
_DUE: Final = select(func.count(), func.min(_columns.created_at)).where(*_SAID)
_NEXT: Final = select(_columns.id).where(*_SAID).order_by(_columns.id).limit(bindparam("most"))


def due(connection: Connection, before: int) -> tuple[int, int | None]:
    """Count the texts that were settled before then and still say something, and tell when the oldest was written."""
    rows, oldest = connection.execute(_DUE, {"before": before}).one()
    return rows, oldest


def forget(connection: Connection, before: int, most: int) -> int:
    """Erase what the oldest of them said, and the gateway's names of them; give how many."""
    ids = list(connection.execute(_NEXT, {"before": before, "most": most}).scalars())
    theirs = update(text_outbox).where(_columns.id.in_(ids))
    connection.execute(theirs.values(body="", prefix="", gateway_ref=None))
    return len(ids)
