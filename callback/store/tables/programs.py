"""Tables of programs that use the API: their tokens, and what each asked for already."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Integer, String, Table, Text

from callback.store.tables.base import Instant, Key, metadata

api_token = Table(
    "api_token",
    metadata,
    Column("id", Key, primary_key=True),
    Column("name", String(100), nullable=False),  # which program has it
    Column("key", String(64), nullable=False),  # SHA-256 of its secret
    Column("earlier_key", String(64)),  # of the secret before, which is good until `earlier_until_at`
    Column("earlier_until_at", Instant),
    Column("scopes", JSON, nullable=False),
    Column("groups", JSON(none_as_null=True)),  # of queues; null: all of them
    Column("made_at", Instant, nullable=False),
    Column("made_by", String(100), nullable=False),
    Column("until_at", Instant, nullable=False),
    Column("seen_at", Instant),
    Column("revoked_at", Instant),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("token_id", Key, ForeignKey("api_token.id"), primary_key=True, autoincrement=False),
    Column("key", String(64), primary_key=True),  # SHA-256 of what the program sent
    Column("asked", String(64), nullable=False),  # SHA-256 of the request that came with it first
    Column("made_at", Instant, nullable=False, index=True),
    Column("status", Integer),  # of the answer, which is written in the same transaction; null: before that
    Column("headers", JSON(none_as_null=True)),
    Column("body", Text),
)
