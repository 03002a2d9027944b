"""The table of customers' answers by text. Texts that leave stand in the outbox of `sms`."""

from __future__ import annotations

from sqlalchemy import (
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

from callback.store.tables.base import WHO_ROOM, Instant, Key, metadata, one_of

answer = Table(
    "answer",
    metadata,
    Column("id", Key, primary_key=True),
    Column("pbx", String(32), nullable=False),
    Column("account", String(64), nullable=False),
    Column("sid", String(64), nullable=False),  # the gateway's own name: the same text twice is one
    Column("person_id", Key, ForeignKey("person.id")),
    Column("reservation_id", Key, ForeignKey("reservation.id"), index=True),
    Column("received_at", Instant, nullable=False),
    Column("wish", String(20), nullable=False),
    Column("body", Text, nullable=False),
    Column("reply", Text),
    Column("score", Integer),  # 1 to 5, of a callback that was asked about
    Column("state", String(10), nullable=False),
    Column("done_by", String(WHO_ROOM)),
    Column("done_at", Instant),
    UniqueConstraint("account", "sid"),
    one_of("state", ("open", "done")),
    Index("ix_answer_open", "pbx", "received_at",
          sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")),
    Index("ix_answer_person", "person_id", "received_at"),
    Index("ix_answer_scored", "pbx", "received_at",
          sqlite_where=text("score IS NOT NULL"), postgresql_where=text("score IS NOT NULL")),
)  # fmt: skip

SCORED = text("answer.score IS NOT NULL")

FOR_PEOPLE = text("answer.state = 'open'")
