"""Tables of a site: its rules, its pauses, its lease, how far its PBX was heard, the audit and the keys."""

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
    text,
)

from callback.store.tables.base import WHO_ROOM, WHY_ROOM, Instant, Key, metadata, one_of

shift_rules = Table(
    "shift_rules",
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("effective_from_at", Instant, nullable=False),
    Column("source", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("body", JSON, nullable=False),
    Column("made_at", Instant, nullable=False, server_default="0"),
    Column("who", String(WHO_ROOM), nullable=False, server_default=""),  # empty: no person, the service itself
    Column("why", String(WHY_ROOM), nullable=False, server_default=""),
    Column("based_on", Integer),  # the version that a person changed
    Column("withdrawn_at", Instant),  # before it came into force
    Index("ix_shift_rules_effective", "pbx", "effective_from_at", "version"),
)

rules_file = Table(
    "rules_file",
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("read_at", Instant, nullable=False),
    Column("body", JSON, nullable=False),  # the file's rules, as they were read when nothing was open about them
)

pause = Table(
    "pause",
    metadata,
    Column("id", Key, primary_key=True),
    Column("pbx", String(32), nullable=False),
    Column("what", String(8), nullable=False),
    Column("queue", String(128), nullable=False),  # empty: every queue
    Column("since_at", Instant, nullable=False),
    Column("until_at", Instant, nullable=False),
    Column("ended_at", Instant),  # by a person, before its time
    Column("who", String(WHO_ROOM), nullable=False),
    Column("why", String(WHY_ROOM), nullable=False),
    one_of("what", ("register", "text", "call")),
    Index("ix_pause_until", "pbx", "until_at"),
)

lease = Table(
    "lease",
    metadata,
    Column("name", String(64), primary_key=True),  # pbx:main
    Column("owner", String(200), nullable=False),
    Column("host", String(200), nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("until_at", Instant, nullable=False),
    Column("taken_at", Instant),  # by who holds it, or held it last
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("journal_id", String(64), nullable=False),  # an offset means nothing in another journal
    Column("journal_offset", BigInteger, nullable=False),
    Column("first_started_at", Instant, nullable=False),  # losses older than the first start are never acted on
    Column("updated_at", Instant, nullable=False),
)

live_view = Table(
    "live_view",
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("seen_at", Instant, nullable=False),
    Column("body", JSON, nullable=False),
)

listening_gap = Table(
    "listening_gap",
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("since_at", Instant, primary_key=True, autoincrement=False),  # nobody listened from here
    Column("until_at", Instant, nullable=False),
    Column("calls", Integer, nullable=False),  # that ended in it, as queue_log tells
    Column("why_not", String(200), nullable=False),  # queue_log could not tell, or not all; empty: it could
)

signalled = Table(
    "signalled",
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("trunk", String(64), primary_key=True),
    Column("lately", String(200), nullable=False),  # how its last callers' numbers came, a letter each, newest last
)

OF_NONE_WORDS = "reservation_id IS NULL"  # decisions about incidents and numbers

audit = Table(
    "audit",
    metadata,
    Column("id", Key, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("pbx", String(32), nullable=False),
    Column("who", String(WHO_ROOM), nullable=False),
    Column("action", String(40), nullable=False),
    Column("reservation_id", Key, ForeignKey("reservation.id"), index=True),
    Column("why", String(WHY_ROOM), nullable=False),
    Column("facts", JSON, nullable=False),
    Column("previous", String(64), nullable=False),  # the hash of the row before: what is tampered with shows
    Column("hash", String(64), nullable=False, unique=True),
    Index("ix_audit_at", "pbx", "at"),
    Index("ix_audit_who", "pbx", "who", "at"),
    Index("ix_audit_action", "pbx", "action", "at"),
    Index("ix_audit_of_no_reservation", "action", "id",
          sqlite_where=text(OF_NONE_WORDS), postgresql_where=text(OF_NONE_WORDS)),
)  # fmt: skip

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row, locked by whoever adds to the chain
    Column("hash", String(64), nullable=False),
    Column("rows", BigInteger, nullable=False),
)

audit_proof = Table(
    "audit_proof",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row
    Column("audit_id", Key, nullable=False),  # up to this row the chain was read, and found whole
    Column("hash", String(64), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("began_at", Instant, nullable=False),  # when this reading began at the first row
    Column("read_at", Instant, nullable=False),
    Column("whole_at", Instant),  # when a reading came to the end last
    Column("broken", String(200)),  # the row where the chain is broken; null: nowhere so far
)

audit_cut = Table(
    "audit_cut",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row
    Column("audit_id", Key, nullable=False),  # rows up to this one were deleted, for their age
    Column("rows", BigInteger, nullable=False),  # so many
    Column("hash", String(64), nullable=False),  # of the last of them: the chain that is left begins from it
    Column("at", Instant, nullable=False),
)

restored = Table(
    "restored",
    metadata,
    Column("id", Key, primary_key=True),
    Column("pbx", String(32), nullable=False),
    Column("backup_at", Instant, nullable=False),
    Column("restored_at", Instant, nullable=False),
    Column("first_free", Key, nullable=False),  # callbacks, cases, flags and campaigns get their numbers from here on
    Column("to_people", Boolean, nullable=False),  # nobody who was owed a callback then is called unasked
    Column("began_at", Instant),  # when the service listened again for the first time
    Column("compared_at", Instant),  # with what the PBX tells of the time since the backup; null: nobody is rung
    Column("facts", JSON(none_as_null=True)),  # what that came to
    Index("ix_restored_pbx", "pbx", "id"),
)

site_key = Table(
    "site_key",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row, made by whoever needs it first
    Column("root", String(64), nullable=False),
    Column("made_at", Instant, nullable=False),
)

OF_NO_RESERVATION = text("audit." + OF_NONE_WORDS)
