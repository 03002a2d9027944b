"""Texts that leave, and how fast, on a MetaData of its own: whoever keeps the schema joins it with others."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy import Text as LongText
from sqlalchemy import text as literal
from sqlalchemy.dialects import postgresql, sqlite

from sms.gateway import ACCOUNT_LENGTH, CODE_LENGTH

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Instant = BigInteger
# The indexes serve a query only if it says the same words, not a parameter.
STATES = ("waiting", "sending", "sent", "failed", "withdrawn", "unknown", "expired")
WAITING = literal("state = 'waiting'")
FIRST = literal("state = 'waiting' AND batch = ''")
IN_BATCH = literal("state = 'waiting' AND batch <> ''")
NO_BATCH = literal("batch = ''")
ANY_BATCH = literal("batch <> ''")
SENDING = literal("state = 'sending'")
FAILED = literal("(state = 'failed' OR delivery = 'undelivered')")
LEFT = literal("state IN ('sending', 'sent', 'unknown')")  # or may have

text_outbox = Table(
    "text_outbox",
    metadata,
    # SQLite numbers rows only in an INTEGER key
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("pbx", String(32), nullable=False),
    Column("cause", String(200), nullable=False),  # the writer's own word for why; one text for each
    Column("recipient", String(64), nullable=False),  # opaque: whoever sends asks for the number
    Column("template", String(40), nullable=False),
    Column("language", String(35), nullable=False),
    Column("body", LongText, nullable=False),
    Column("state", String(20), nullable=False),
    Column("created_at", _Instant, nullable=False),
    Column("not_before_at", _Instant, nullable=False),
    Column("expires_at", _Instant, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("lease_until", _Instant),
    Column("fence", BigInteger, nullable=False),
    Column("gateway", String(40)),  # who was asked last; known before it is asked
    Column("gateway_ref", LongText),
    Column("reason", LongText),
    Column("sent_at", _Instant),
    Column("settled_at", _Instant),
    Column("line", String(64), nullable=False, server_default=""),  # the gateway's sender that it goes out by
    Column("person", String(64), nullable=False, server_default=""),  # opaque: whose cap it counts on
    Column("prefix", String(32), nullable=False, server_default=""),  # of the number, never all of it: the same
    Column("claimed_at", _Instant),
    Column("delivery", String(20)),  # how far the gateway says that it came
    Column("delivery_code", String(CODE_LENGTH)),  # the gateway's word for why it does not leave, or did not arrive
    Column("delivery_at", _Instant),
    Column("batch", String(64), nullable=False, server_default=""),  # one of very many: they leave after all others
    UniqueConstraint("cause"),
    CheckConstraint(f"state IN {STATES}", name="state"),
    CheckConstraint("(state = 'sending') = (lease_until IS NOT NULL)", name="lease"),
    CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent"),
    CheckConstraint("(state IN ('waiting', 'sending')) = (settled_at IS NULL)", name="settled"),
    CheckConstraint("delivery IN ('accepted', 'sent', 'undelivered', 'delivered')", name="delivery"),
    Index("ix_text_outbox_due", "not_before_at", "id", sqlite_where=WAITING, postgresql_where=WAITING),
    Index("ix_text_outbox_lease", "lease_until", sqlite_where=SENDING, postgresql_where=SENDING),
    Index("ix_text_outbox_recipient", "recipient"),
    Index("ix_text_outbox_person", "person", "claimed_at"),
    Index("ix_text_outbox_prefix", "prefix", "claimed_at"),
    Index("ix_text_outbox_claimed", "claimed_at"),
    Index("ix_text_outbox_due_first", "not_before_at", "id", sqlite_where=FIRST, postgresql_where=FIRST),
    Index("ix_text_outbox_due_batch", "not_before_at", "id", sqlite_where=IN_BATCH, postgresql_where=IN_BATCH),
    Index("ix_text_outbox_claimed_first", "claimed_at", sqlite_where=NO_BATCH, postgresql_where=NO_BATCH),
    Index("ix_text_outbox_batch", "batch", "state", sqlite_where=ANY_BATCH, postgresql_where=ANY_BATCH),
    Index("ix_text_outbox_failed", "pbx", "settled_at", sqlite_where=FAILED, postgresql_where=FAILED),
)

text_pace = Table(
    "text_pace",
    metadata,
    Column("account", String(ACCOUNT_LENGTH), primary_key=True),  # a gateway's own name of it: no secret
    Column("next_at", _Instant, nullable=False),  # when its next text may leave
    Column("paused_until_at", _Instant, nullable=False),  # since the gateway was asked too fast
    Column("pause_us", BigInteger, nullable=False),  # how long that pause lasts
)


def insert_unless(conn: Connection, table: Table, key: str) -> sqlite.Insert | postgresql.Insert:
    """Insert what is not there by that key, in the database's own words."""
    if conn.dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing(index_elements=[key])
    return postgresql.insert(table).on_conflict_do_nothing(index_elements=[key])
