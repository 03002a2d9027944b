"""Tables of what reservations waited for, and of who was at work meanwhile: looked at every few seconds."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Integer, String, Table

from callback.store.tables.base import Instant, Key, metadata

wait_cause = Table(
    "wait_cause",
    metadata,
    Column("reservation_id", Key, ForeignKey("reservation.id"), primary_key=True, autoincrement=False),
    Column("word", String(32), primary_key=True),  # why nobody had called yet
    Column("seconds", Integer, nullable=False),
    Column("first_at", Instant, nullable=False),
)

crew = Table(
    "crew",
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("queue", String(128), primary_key=True),
    Column("half_hour_at", Instant, primary_key=True, autoincrement=False),  # when it begins
    Column("agents", JSON, nullable=False),  # the names of all who were seen at work in it
)
