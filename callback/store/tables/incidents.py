"""Tables of what concerns many reservations at once: incidents, alarms, and the advice of a day."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Index,
    Integer,
    String,
    Table,
    text,
)

from callback.store.tables.base import WHY_ROOM, Instant, Key, metadata, one_of
from scheduler.incident import STATES as INCIDENT_STATES

incident = Table(
    "incident",
    metadata,
    Column("id", Key, primary_key=True),
    Column("pbx", String(32), nullable=False),
    Column("cause", String(255), nullable=False),
    Column("state", String(20), nullable=False),
    Column("open", Boolean, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("last_lost_at", Instant, nullable=False),
    Column("losses", Integer, nullable=False),
    Column("let_go", Integer, nullable=False),
    Column("let_go_at", Instant),  # up to when the rate was used
    Column("ended_at", Instant),
    one_of("state", INCIDENT_STATES),
    Index("uq_incident_open", "pbx", "cause", unique=True, sqlite_where=text("open"), postgresql_where=text("open")),
)

alarm = Table(
    "alarm",
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("queue_group", String(64), primary_key=True),
    Column("raised_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),  # when there was cause for it last
    Column("told", JSON, nullable=False),  # the forecast as people were told it last
)

advice = Table(
    "advice",
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("begins_at", Instant, primary_key=True, autoincrement=False),
    Column("queue", String(128), primary_key=True),
    Column("from_queue", String(128), primary_key=True),  # empty: more agents than are there
    Column("until_at", Instant, nullable=False),
    Column("agents", Integer, nullable=False),
    Column("at", Instant, nullable=False),  # when it was given
    Column("why", String(WHY_ROOM), nullable=False),
    Column("expected", JSON, nullable=False),  # losses, and promises missed, if nothing was done
    Column("came_of", JSON(none_as_null=True)),  # the same as it came, when its time was over
)

INCIDENT_OPEN = text("incident.open")
