"""Tables of what is watched: counts that only rise, and troubles that last."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Integer, String, Table

from callback.store.tables.base import WHY_ROOM, Instant, Key, metadata

LABELS_ROOM = 400

tally = Table(
    "tally",
    metadata,
    Column("pbx", String(32), primary_key=True),  # empty: of the whole database
    Column("name", String(64), primary_key=True),
    Column("labels", String(LABELS_ROOM), primary_key=True),  # a JSON list of their values
    Column("total", BigInteger, nullable=False),
)

tally_place = Table(
    "tally_place",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row, locked by whoever counts
    Column("reached_id", Key, nullable=False),  # of the feed: up to here everything is counted
    Column("missing", JSON, nullable=False),  # but these, by when they were missed: they may be committed still
)

trouble = Table(
    "trouble",
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("about", String(200), primary_key=True),  # which node, disk or clock; empty: there is one only
    Column("since_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),  # when there was cause for it last
    Column("why", String(WHY_ROOM), nullable=False),
)
