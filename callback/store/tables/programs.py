"""Tables of programs: the tokens by which they ask, and the webhooks by which they are told."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from callback.store.tables.base import Instant, Key, metadata, one_of

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
    Column("key", String(64), primary_key=True),  # a keyed hash of what the program sent
    Column("asked", String(64), nullable=False),  # the same of the request that came with it first
    Column("made_at", Instant, nullable=False, index=True),
    Column("status", Integer),  # of the answer, which is written in the same transaction; null: before that
    Column("headers", JSON(none_as_null=True)),
    Column("body", Text),  # without the number
)

WAITING_WORDS = "state = 'waiting'"

hook_endpoint = Table(
    "webhook_endpoint",
    metadata,
    Column("id", Key, primary_key=True),
    Column("url", String(500), nullable=False),
    Column("events", JSON, nullable=False),  # the types that it is told
    Column("with_number", Boolean, nullable=False),  # whether it is told whole telephone numbers
    Column("seed", String(64), nullable=False),  # its secret is made of this and the site's key
    Column("old_seed", String(64), nullable=False),  # of the secret before, which is good until …; empty: none
    Column("old_until_at", Instant, nullable=False),
    Column("since_place", Instant, nullable=False),  # in the feed: it is told what comes after that
    Column("disabled", String(10), nullable=False),  # why nothing is sent to it; empty: it is at work
    Column("failures", Integer, nullable=False),  # in a row
    Column("failing_since_at", Instant),
    Column("rests_until_at", Instant, nullable=False),
    Column("delivered_at", Instant),
    Column("made_at", Instant, nullable=False),
    Column("made_by", String(100), nullable=False),
    one_of("disabled", ("", "person", "gone", "failing", "full")),
)

hook_delivery = Table(
    "webhook_delivery",
    metadata,
    Column("id", Key, primary_key=True),
    Column("pbx", String(32), nullable=False),
    Column("endpoint_id", Key, ForeignKey("webhook_endpoint.id"), nullable=False),
    Column("message", String(40), nullable=False),  # its webhook-id: the same at each try
    Column("type", String(32), nullable=False),
    Column("happened_at", Instant, nullable=False),
    Column("about", String(80), nullable=False),  # what is about the same comes one after the other
    Column("data", JSON, nullable=False),  # no telephone number stands in it
    Column("made_at", Instant, nullable=False),
    Column("state", String(10), nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("tried_at", Instant),
    Column("status", Integer),  # of the last answer
    Column("fault", String(20), nullable=False),  # of the last try; empty: none
    UniqueConstraint("endpoint_id", "message"),
    one_of("state", ("waiting", "delivered", "given-up")),
    Index("ix_webhook_delivery_due", "pbx", "endpoint_id", "next_at", "id",
          sqlite_where=text(WAITING_WORDS), postgresql_where=text(WAITING_WORDS)),
    Index("ix_webhook_delivery_about", "endpoint_id", "about", "id",
          sqlite_where=text(WAITING_WORDS), postgresql_where=text(WAITING_WORDS)),
    Index("ix_webhook_delivery_endpoint", "endpoint_id", "id"),
    Index("ix_webhook_delivery_made", "made_at"),
)  # fmt: skip

hook_place = Table(
    "webhook_place",
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("place", Instant, nullable=False),  # in the feed, up to which everybody was told
)

TO_DELIVER = text("webhook_delivery." + WAITING_WORDS)
