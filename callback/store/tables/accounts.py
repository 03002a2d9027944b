"""Tables of people who work with the console: accounts, sessions, failed sign-ins, saved views, wall displays."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table

from callback.store.tables.base import Instant, Key, metadata

NAME_ROOM = 64

user_account = Table(
    "user_account",
    metadata,
    Column("name", String(NAME_ROOM), primary_key=True),  # by which the person signs in; the audit keeps it
    Column("display_name", String(100), nullable=False),
    Column("roles", JSON, nullable=False),
    Column("groups", JSON(none_as_null=True)),  # of queues; null: all of them
    Column("phone", String(100), nullable=False),  # the agent's, as the PBX names it; empty: no agent
    Column("language", String(16), nullable=False),  # empty: as the browser asks
    Column("theme", String(16), nullable=False),  # empty: as the system is set
    Column("locked", Boolean, nullable=False),
    Column("password", String(200), nullable=False),  # its hash, with salt and parameters
    Column("one_time_until_at", Instant),  # until then a one-time password opens; null: the person's own
    Column("made_at", Instant, nullable=False),
    Column("made_by", String(100), nullable=False),
    Column("seen_at", Instant),
)

login_session = Table(
    "login_session",
    metadata,
    Column("key", String(64), primary_key=True),  # SHA-256 of what the cookie holds
    Column("user", String(NAME_ROOM), ForeignKey("user_account.name"), nullable=False, index=True),
    Column("made_at", Instant, nullable=False),
    Column("until_at", Instant, nullable=False, index=True),
    Column("seen_at", Instant, nullable=False),
    Column("proved_at", Instant, nullable=False),  # when the password was given last
)

login_failure = Table(
    "login_failure",
    metadata,
    Column("key", String(64), primary_key=True),  # a keyed hash of the name or of the address
    Column("failures", Integer, nullable=False),
    Column("last_at", Instant, nullable=False, index=True),
)

saved_view = Table(
    "saved_view",
    metadata,
    Column("user", String(NAME_ROOM), ForeignKey("user_account.name"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),  # the key that opens it
    Column("name", String(100), nullable=False),
    Column("query", String(1000), nullable=False),
)

wall_token = Table(
    "wall_token",
    metadata,
    Column("id", Key, primary_key=True),
    Column("name", String(100), nullable=False),  # where it hangs
    Column("key", String(64), nullable=False),  # SHA-256 of what its address holds
    Column("groups", JSON(none_as_null=True)),  # of queues; null: all of them
    Column("made_at", Instant, nullable=False),
    Column("made_by", String(100), nullable=False),
    Column("revoked_at", Instant),
    Index("uq_wall_token_key", "key", unique=True),
)
