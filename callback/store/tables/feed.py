"""The feed: what happened at each site, a row for each event, kept for a while."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, Integer, String, Table, text

from callback.store.tables.base import Instant, Key, metadata

ALARM_WORDS = "name IN ('alarm', 'alarm-over')"

happened = Table(
    "happened",
    metadata,
    Column("id", Key, primary_key=True),
    Column("pbx", String(32), nullable=False),
    Column("at", Instant, nullable=False),
    Column("stored_at", Instant, nullable=False),
    Column("name", String(32), nullable=False),
    Column("reservation_id", Integer().with_variant(Instant(), "postgresql")),  # whose it is, where it has one
    Column("call_id", String(160)),
    Column("facts", JSON, nullable=False),  # no telephone number stands in it
    Index(
        "ix_happened_reservation", "reservation_id", "id",
        sqlite_where=text("reservation_id IS NOT NULL"), postgresql_where=text("reservation_id IS NOT NULL"),
    ),
    Index("ix_happened_stored_at", "stored_at"),
    Index("ix_happened_alarm", "pbx", "at", sqlite_where=text(ALARM_WORDS), postgresql_where=text(ALARM_WORDS)),
)  # fmt: skip

ALARMS = text("happened." + ALARM_WORDS)
