"""The table of handovers: what one shift left to the next, as it stood then, and who took it."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, String, Table

from callback.store.tables.base import WHO_ROOM, Instant, Key, metadata

handover = Table(
    "handover",
    metadata,
    Column("id", Key, primary_key=True),
    Column("pbx", String(32), nullable=False),
    Column("since_at", Instant, nullable=False),  # the shift: from the handover before
    Column("until_at", Instant, nullable=False),
    Column("given_by", String(WHO_ROOM), nullable=False),
    Column("taken_by", String(WHO_ROOM)),  # who leads the next shift; null: nobody has taken it yet
    Column("taken_at", Instant),
    Column("groups", JSON(none_as_null=True)),  # of queues, that it is about; null: all of them
    Column("notes", JSON, nullable=False),  # who wrote what, and when
    Column("body", JSON, nullable=False),  # the figures as they stood, without numbers
    Index("ix_handover_until_at", "pbx", "until_at"),
)
