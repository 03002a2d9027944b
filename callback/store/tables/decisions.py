"""Tables of what people decide at once: a batch, what each reservation was before it, and what is still to be done."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, text

from callback.store.tables.base import WHO_ROOM, WHY_ROOM, Instant, Key, metadata

batch = Table(
    "batch",
    metadata,
    Column("id", Key, primary_key=True),
    Column("pbx", String(32), nullable=False),
    Column("action", String(20), nullable=False),
    Column("who", String(WHO_ROOM), nullable=False),
    Column("why", String(WHY_ROOM), nullable=False),
    Column("at", Instant, nullable=False),
    Column("undo_until_at", Instant, nullable=False),
    Column("undone_at", Instant),
    Column("undone_by", String(WHO_ROOM)),
    Column("facts", JSON, nullable=False),  # of a block: the hashed number, and what was blocked before
    Index("ix_batch_at", "at"),
)

batch_item = Table(
    "batch_item",
    metadata,
    Column("batch_id", Key, ForeignKey("batch.id"), primary_key=True, autoincrement=False),
    Column("reservation_id", Key, ForeignKey("reservation.id"), primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False),  # after the act: what has another one was changed since
    Column("losses", Integer, nullable=False),  # that it had then: one more, and the customer has come back
    Column("before", JSON, nullable=False),  # columns, promises and texts; no number and no body
    Column("closes_as", String(20)),  # the event that is still to come, once the batch cannot be undone any more
    Column("pending_until_at", Instant),  # from when on; none: nothing is to come
    Index("uq_batch_item_pending", "reservation_id", unique=True,
          sqlite_where=text("pending_until_at IS NOT NULL"), postgresql_where=text("pending_until_at IS NOT NULL")),
)  # fmt: skip

PENDING = text("batch_item.pending_until_at IS NOT NULL")
