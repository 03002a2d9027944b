"""Tables of several nodes: the processes of a site, and who is on the line of each PBX, for the others."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, String, Table

from callback.store.tables.base import Instant, metadata, one_of

node = Table(
    "node",
    metadata,
    Column("id", String(32), primary_key=True),  # of one run of one process
    Column("name", String(200), nullable=False),
    Column("role", String(8), nullable=False),
    Column("pbx", String(32), nullable=False),
    Column("version", String(40), nullable=False),
    Column("began_at", Instant, nullable=False),  # by the database's clock, as all that follows
    Column("seen_at", Instant, nullable=False),
    Column("clock_off", BigInteger, nullable=False),  # µs that the database's clock is ahead of this machine's
    Column("duties", JSON, nullable=False),  # what it does, or why it stands by: a sentence for each duty
    one_of("role", ("all", "pbx", "text", "web")),
    Index("ix_node_seen", "seen_at"),
)

line = Table(
    "line",
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("seen_at", Instant, nullable=False),  # by the database's clock: when its listener looked last
    Column("whole", Boolean, nullable=False),  # whether all numbers on it are in on_the_line
)

on_the_line = Table(
    "on_the_line",
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("number_key", String(64), primary_key=True),  # a keyed hash: no number stands here
)
