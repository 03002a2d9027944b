"""Tables of people: numbers that are known, numbers that could not be read, and who is blocked."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    String,
    Table,
    text,
)

from callback.store.tables.base import WHO_ROOM, WHY_ROOM, Instant, Key, metadata

person = Table(
    "person",
    metadata,
    Column("id", Key, primary_key=True),
    Column("number", String(32), nullable=False, unique=True),  # E.164
    Column("shared", Boolean, nullable=False, server_default=text("false")),  # a company's switchboard
    Column("created_at", Instant, nullable=False),
    Column("takes_texts", Boolean),  # False: a landline; none: not worked out yet
    Column(
        "tail", String(16), index=True
    ),  # a keyed hash of the last four digits, to find the number by; erased with it
)

unread_number = Table(
    "unread_number",  # of lost callers: whose number it is cannot be told; erased with the number that it may be
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("call_id", String(150), primary_key=True),
    Column("digits", String(32), nullable=False),  # as signalled
)

block = Table(
    "block",
    metadata,
    Column("number_key", String(64), primary_key=True),  # a keyed hash of the number: it outlives the person's erasure
    Column("calls", Boolean, nullable=False),
    Column("texts", Boolean, nullable=False),
    Column("who", String(WHO_ROOM), nullable=False),
    Column("why", String(WHY_ROOM), nullable=False),
    Column("at", Instant, nullable=False),
)
