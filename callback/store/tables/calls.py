"""Tables of calls: those heard, with their visits and verdicts, and those that logs told of."""

from __future__ import annotations

from typing import get_args

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
)

from callback.store.tables.base import Instant, Key, metadata, of_rules, one_of
from telephony.calls.call import Kind, Source

KINDS: tuple[str, ...] = get_args(Kind)
PERSON = "person"  # the source of a verdict that a person corrected
SOURCES: tuple[str, ...] = (*get_args(Source), PERSON)

call = Table(
    "call",
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("call_id", String(150), primary_key=True),
    Column("linkedid", String(150), nullable=False),
    Column("channel", String(200), nullable=False),
    Column("did", String(80)),
    Column("queue", String(128)),  # last visited
    Column("person_id", Key, ForeignKey("person.id"), index=True),
    Column("started_at", Instant, nullable=False, index=True),
    Column("ended_at", Instant),
    Column("recovery", String(40), nullable=False),  # what the service made of it: reserved, merged, short-abandon, …
)

queue_visit = Table(
    "queue_visit",
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("call_id", String(150), primary_key=True),
    Column("queue", String(128), primary_key=True),
    Column("joined_at", Instant, primary_key=True),
    Column("connected_at", Instant),
    Column("ended_at", Instant),
    Column("ended_by", String(40), nullable=False),
    Column("agent", String(200)),
)

verdict = Table(
    "verdict",
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("call_id", String(150), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("source", String(20), nullable=False),
    Column("rank", Integer, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("reason", String(60)),
    Column("side", String(20)),
    Column("waited_us", BigInteger, nullable=False),
    Column("talked_us", BigInteger, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("rules_version", Integer, nullable=False),
    Column("judged_at", Instant, nullable=False),
    of_rules(),
    one_of("kind", KINDS),
    one_of("source", SOURCES),
)

past_call = Table(
    "past_call",  # from imported logs: how many came and were lost, never acted on
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("call_id", String(150), primary_key=True),
    Column("queue", String(128), nullable=False),
    Column("caller", BigInteger, nullable=False),  # a keyed hash of the number as signalled, 0: unknown
    Column("kind", String(20), nullable=False),
    Column("reason", String(60)),
    Column("began_at", Instant, nullable=False),
    Column("over_at", Instant, nullable=False, index=True),
    Column("waited_us", BigInteger, nullable=False),
    Column("talked_us", BigInteger, nullable=False),
    Column("agent", String(200)),
    Column("talked_at", Instant),
    one_of("kind", KINDS),
    Index("ix_past_call_began", "pbx", "began_at"),
)

past_stint = Table(
    "past_stint",  # from imported logs: who was logged in and not paused
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("agent", String(200), primary_key=True),
    Column("queue", String(128), primary_key=True),  # empty: in all that the agent serves
    Column("since_at", Instant, primary_key=True, autoincrement=False),
    Column("until_at", Instant, nullable=False),
)
