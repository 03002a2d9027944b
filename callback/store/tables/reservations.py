"""Tables of reservations: what is owed to whom, for which losses, and what was promised."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    text,
)

from callback.store.tables.base import WHO_ROOM, Instant, Key, metadata, of_rules, one_of
from callback.store.tables.calls import KINDS

RESERVATION_STATES = (
    "waiting", "held", "calling", "reached", "returned", "given-up", "expired", "refused", "withdrawn",
    "cancelled", "done-elsewhere", "continued",
)  # fmt: skip

FOLLOW_UP = "follow-up"
"""The kind of a reservation that no lost call made: for a case of care, a campaign's sample, a flagged contact."""

MISSABLE_WORDS = "open OR state = 'expired' OR state_since_at > deadline_at OR promise_number > 1"

reservation = Table(
    "reservation",
    metadata,
    Column("id", Key, primary_key=True),
    Column("pbx", String(32), nullable=False),
    Column("queue", String(128), nullable=False),
    Column("queue_group", String(64), nullable=False),
    Column("person_id", Key, ForeignKey("person.id"), nullable=False),
    Column("apart", String(150), nullable=False),  # empty: merged by person; a shared number's calls stay apart
    Column("trunk", String(64), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("open", Boolean, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("last_lost_at", Instant, nullable=False),
    Column("losses", Integer, nullable=False),
    Column("tries", Integer, nullable=False),  # those that counted
    Column("promise_number", Integer, nullable=False, server_default=text("0")),  # which promise is in force
    Column("clock_starts_at", Instant, nullable=False),  # these three are copied from it
    Column("aim_at", Instant, nullable=False),
    Column("deadline_at", Instant, nullable=False),
    Column("put_off_until_at", Instant),  # a person said: not before
    Column("retry_at", Instant),  # after an outcome: not before
    Column("quiet_until_at", Instant),  # the customer's hours, or the rings that a day has
    Column("not_before_at", Instant, nullable=False, server_default=text("0")),  # what follows from these
    Column("due_at", Instant, nullable=False),  # the same, for a process of an older version
    Column("state_since_at", Instant, nullable=False),
    Column("severity", Integer, nullable=False, server_default=text("0")),
    Column("slot_at", Instant),  # the customer chose this time, and it was not tried yet: no default replaces it
    Column("text_refusal", String(40)),  # why the customer got no text when the last one was due; none: it was written
    Column("assigned_to", String(WHO_ROOM)),  # whose it is, among people; whom the PBX rings is the queue's affair
    Column("incident_id", Key, ForeignKey("incident.id")),  # the one that holds it; none after a person resumed it
    Column("overdue_by_at", Instant),  # the promise in force was broken: by when the newest apology says, if it holds
    Column("revision", Integer, nullable=False, server_default=text("1"),  # raised by every change: who looked earlier
           onupdate=text("reservation.revision + 1")),  # decides about what is no more
    Column("handled_at", Instant),  # it was left to people, and one of them has dealt with it
    Column("reference", String(100)),  # what a program that asked for the callback calls it
    Column("agent", String(200)),  # whose phone is rung, as the PBX names the member; none: any of the queue
    Column("agent_until_at", Instant),  # from then on anybody of the queue is
    one_of("kind", (*KINDS, FOLLOW_UP)),
    one_of("state", RESERVATION_STATES),
    Index("uq_reservation_open", "pbx", "queue", "person_id", "apart", unique=True,
          sqlite_where=text("open"), postgresql_where=text("open")),
    Index("ix_reservation_lane_aim", "pbx", "state", "aim_at", "id",
          sqlite_where=text("open"), postgresql_where=text("open")),
    Index("ix_reservation_lane_newest", "pbx", "state", "made_at", "id",
          sqlite_where=text("open"), postgresql_where=text("open")),
    Index("ix_reservation_lane_severe", "pbx", "state", "severity",
          sqlite_where=text("open AND severity > 0"), postgresql_where=text("open AND severity > 0")),
    Index("ix_reservation_refused", "pbx", "last_lost_at",
          sqlite_where=text("state = 'refused'"), postgresql_where=text("state = 'refused'")),
    Index("ix_reservation_person", "person_id"),
    Index("ix_reservation_made", "pbx", "made_at"),
    Index("ix_reservation_incident", "incident_id", "deadline_at",
          sqlite_where=text("open AND incident_id IS NOT NULL"),
          postgresql_where=text("open AND incident_id IS NOT NULL")),
    Index("ix_reservation_left", "pbx", "state_since_at",
          sqlite_where=text("state = 'expired' AND handled_at IS NULL"),
          postgresql_where=text("state = 'expired' AND handled_at IS NULL")),
    Index("ix_reservation_list_deadline", "pbx", "state", "deadline_at", "id",
          sqlite_where=text("open"), postgresql_where=text("open")),
    Index("ix_reservation_list_later", "pbx", "state", "not_before_at", "id",
          sqlite_where=text("open"), postgresql_where=text("open")),
    Index("ix_reservation_list_losses", "pbx", "state", "losses", "id",
          sqlite_where=text("open"), postgresql_where=text("open")),
    Index("ix_reservation_reference", "pbx", "reference", "id",
          sqlite_where=text("reference IS NOT NULL"), postgresql_where=text("reference IS NOT NULL")),
    Index("ix_reservation_missable", "pbx", "made_at", "id",
          sqlite_where=text(MISSABLE_WORDS), postgresql_where=text(MISSABLE_WORDS)),
    Index("ix_reservation_assigned", "pbx", "assigned_to",
          sqlite_where=text("open AND assigned_to IS NOT NULL"),
          postgresql_where=text("open AND assigned_to IS NOT NULL")),
    Index("ix_reservation_settled", "pbx", "state_since_at", "id",
          sqlite_where=text("NOT open"), postgresql_where=text("NOT open")),
)  # fmt: skip

loss = Table(
    "loss",
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("call_id", String(150), primary_key=True),
    Column("reservation_id", Key, ForeignKey("reservation.id"), nullable=False, index=True),
    Column("lost_at", Instant, nullable=False),
    Column("redialled_at", Instant),  # the customer called again, whether we had called or not
    Column("cause", String(255), nullable=False, server_default=text("''")),  # queue/reason/trunk
    Column("incident_id", Key, ForeignKey("incident.id")),
    Index("ix_loss_cause", "pbx", "cause", "lost_at"),
)

promise = Table(
    "promise",
    metadata,
    Column("reservation_id", Key, ForeignKey("reservation.id"), primary_key=True),
    Column(
        "number", Integer, primary_key=True, autoincrement=False
    ),  # in the order made; see scheduler.promise.measured
    Column("pbx", String(32), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("clock_starts_at", Instant, nullable=False),
    Column("aim_at", Instant, nullable=False),
    Column("deadline_at", Instant, nullable=False),
    Column("reason", String(40), nullable=False),
    Column("rules_version", Integer, nullable=False),
    of_rules(),
)

OPEN = text("reservation.open")

LOST_ONLY = text("reservation.kind <> 'follow-up'")
"""Reservations of lost calls: promises and rates count these alone."""

SEVERE = text("reservation.open AND reservation.severity > 0")

IN_INCIDENT = text("reservation.open AND reservation.incident_id IS NOT NULL")

ASSIGNED = text("reservation.open AND reservation.assigned_to IS NOT NULL")

SETTLED = text("NOT reservation.open")

LEFT_TO_PEOPLE = text("reservation.state = 'expired' AND reservation.handled_at IS NULL")

REFUSED = text("reservation.state = 'refused'")

MISSABLE = text(
    "(reservation.open OR reservation.state = 'expired' OR reservation.state_since_at > reservation.deadline_at"
    " OR reservation.promise_number > 1)"
)
"""All others were closed before their promise ended, which was the only one: nobody can have broken it."""
