"""The table of attempts: callbacks that were claimed, and what became of them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)

from callback.store.tables.base import Instant, Key, metadata, of_rules, one_of
from scheduler.breaker import TELLING as TELLING_OUTCOMES
from scheduler.retry import NO_AGENT as NO_AGENT_OUTCOME
from scheduler.retry import OUTCOMES

NO_AGENT_WORDS = f"outcome = '{NO_AGENT_OUTCOME}'"

TELLING_WORDS = "outcome IN (" + ", ".join(f"'{outcome}'" for outcome in TELLING_OUTCOMES) + ")"

attempt = Table(
    "attempt",
    metadata,
    Column("id", String(32), primary_key=True),  # unguessable: it is the ticket's name on the PBX
    Column("pbx", String(32), nullable=False),
    Column("reservation_id", Key, ForeignKey("reservation.id"), nullable=False),
    Column("person_id", Key, ForeignKey("person.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("in_flight", Boolean, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("rules_version", Integer, nullable=False),
    Column("pbx_boot", String(60), nullable=False),  # when that Asterisk was started: a change tells a restart
    Column("decision", JSON, nullable=False),
    Column("trunk", String(64), nullable=False, server_default=text("''")),  # that it was to go over
    Column("claimed_at", Instant, nullable=False),
    Column("ring_until_at", Instant, nullable=False),  # the PBX rings nobody from this instant on
    Column("agent", String(200)),
    Column("only_agent", String(200)),  # whose phone alone is rung, as the PBX names the member; none: any of the queue
    Column("agent_connected_at", Instant),
    Column("customer_dialled_at", Instant),
    Column("customer_answered_at", Instant),
    Column("ended_at", Instant),
    Column("outcome", String(20)),
    Column("counted", Boolean),
    Column("evidence", JSON),
    one_of("outcome", OUTCOMES),
    of_rules(),
    UniqueConstraint("reservation_id", "number"),
    Index("ix_attempt_claimed", "pbx", "claimed_at"),
    Index("ix_attempt_person_day", "person_id", "claimed_at"),
    Index("ix_attempt_trunk", "pbx", "trunk", "claimed_at",
          sqlite_where=text(TELLING_WORDS), postgresql_where=text(TELLING_WORDS)),
    Index("ix_attempt_no_agent", "pbx", "claimed_at",
          sqlite_where=text(NO_AGENT_WORDS), postgresql_where=text(NO_AGENT_WORDS)),
    Index("ix_attempt_agent", "pbx", "agent", "claimed_at",
          sqlite_where=text("agent IS NOT NULL"), postgresql_where=text("agent IS NOT NULL")),
    Index("uq_attempt_in_flight", "person_id", unique=True,
          sqlite_where=text("in_flight"), postgresql_where=text("in_flight")),
)  # fmt: skip

BY_AGENT = text("attempt.agent IS NOT NULL")

IN_FLIGHT = text("attempt.in_flight")

TELLING = text("attempt." + TELLING_WORDS)

FOUND_NO_AGENT = text("attempt." + NO_AGENT_WORDS)
