"""The tables. Instants are integer microseconds UTC; a state is text with a CHECK; nothing nullable in a unique index.

The E.164 number stands once, in `person`: erasing that row's number erases the person; what could not be read as one
stands in `unread_number`. `open` and `in_flight` are
set by the state tables, and the partial unique indexes make facts of two promises: one open reservation for a person
and queue, one attempt in flight for a person.
"""

from __future__ import annotations

from typing import get_args

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from scheduler.breaker import TELLING as TELLING_OUTCOMES
from scheduler.incident import STATES as INCIDENT_STATES
from scheduler.retry import NO_AGENT as NO_AGENT_OUTCOME
from scheduler.retry import OUTCOMES
from telephony.calls.call import Kind

KINDS: tuple[str, ...] = get_args(Kind)
RESERVATION_STATES = (
    "waiting", "held", "calling", "reached", "returned", "given-up", "expired", "refused", "withdrawn",
    "cancelled", "done-elsewhere",
)  # fmt: skip

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Key = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows only in an INTEGER key
Instant = BigInteger
WHO_ROOM, WHY_ROOM = 100, 400
NO_AGENT_WORDS = f"outcome = '{NO_AGENT_OUTCOME}'"
TELLING_WORDS = "outcome IN (" + ", ".join(f"'{outcome}'" for outcome in TELLING_OUTCOMES) + ")"


def _one_of(column: str, words: tuple[str, ...]) -> CheckConstraint:
    """A constraint of the table, not of the column: Alembic writes no migration for those."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _of_rules() -> ForeignKeyConstraint:
    """The version of the shift rules that a row was made under."""
    return ForeignKeyConstraint(["pbx", "rules_version"], ["shift_rules.pbx", "shift_rules.version"])


person = Table(
    "person",
    metadata,
    Column("id", Key, primary_key=True),
    Column("number", String(32), nullable=False, unique=True),  # E.164
    Column("shared", Boolean, nullable=False, server_default=text("false")),  # a company's switchboard
    Column("created_at", Instant, nullable=False),
)

shift_rules = Table(
    "shift_rules",
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("effective_from_at", Instant, nullable=False),
    Column("source", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("body", JSON, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("name", String(64), primary_key=True),  # pbx:main
    Column("owner", String(200), nullable=False),
    Column("host", String(200), nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("until_at", Instant, nullable=False),
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

unread_number = Table(
    "unread_number",  # of lost callers: whose number it is cannot be told; erased with the number that it may be
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("call_id", String(150), primary_key=True),
    Column("digits", String(32), nullable=False),  # as signalled
)

signalled = Table(
    "signalled",
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("trunk", String(64), primary_key=True),
    Column("lately", String(200), nullable=False),  # how its last callers' numbers came, a letter each, newest last
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
    _of_rules(),
    _one_of("kind", KINDS),
)

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
    Column("clock_starts_at", Instant, nullable=False),  # these three: the promise in force, copied from `promise`
    Column("aim_at", Instant, nullable=False),
    Column("deadline_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),  # not to be dialled before
    Column("state_since_at", Instant, nullable=False),
    Column("severity", Integer, nullable=False, server_default=text("0")),
    Column("slot_at", Instant),  # the customer chose this time: no default replaces it
    Column("text_refusal", String(40)),  # why he got no text when the last one was due; none: he got it
    Column("assigned_to", String(WHO_ROOM)),  # whose it is, among people; whom the PBX rings is the queue's affair
    Column("incident_id", Key, ForeignKey("incident.id")),  # it holds him; a person who resumes him lets him go
    Column("overdue_by_at", Instant),  # his promise was broken: the new time that he was told
    _one_of("kind", KINDS),
    _one_of("state", RESERVATION_STATES),
    Index("uq_reservation_open", "pbx", "queue", "person_id", "apart", unique=True,
          sqlite_where=text("open"), postgresql_where=text("open")),
    Index("ix_reservation_lane_aim", "pbx", "state", "aim_at",
          sqlite_where=text("open"), postgresql_where=text("open")),
    Index("ix_reservation_lane_newest", "pbx", "state", "made_at",
          sqlite_where=text("open"), postgresql_where=text("open")),
    Index("ix_reservation_lane_severe", "pbx", "state", "severity",
          sqlite_where=text("open AND severity > 0"), postgresql_where=text("open AND severity > 0")),
    Index("ix_reservation_refused", "pbx", "last_lost_at",
          sqlite_where=text("state = 'refused'"), postgresql_where=text("state = 'refused'")),
    Index("ix_reservation_person", "person_id"),
    Index("ix_reservation_incident", "incident_id", "deadline_at",
          sqlite_where=text("open AND incident_id IS NOT NULL"),
          postgresql_where=text("open AND incident_id IS NOT NULL")),
    Index("ix_reservation_left", "pbx", "state_since_at",
          sqlite_where=text("state = 'expired'"), postgresql_where=text("state = 'expired'")),
)  # fmt: skip

loss = Table(
    "loss",
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("call_id", String(150), primary_key=True),
    Column("reservation_id", Key, ForeignKey("reservation.id"), nullable=False, index=True),
    Column("lost_at", Instant, nullable=False),
    Column("redialled_at", Instant),  # he called again by himself, whether we had called him or not
    Column("cause", String(255), nullable=False, server_default=text("''")),  # queue/reason/trunk
    Column("incident_id", Key, ForeignKey("incident.id")),
    Index("ix_loss_cause", "pbx", "cause", "lost_at"),
)

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
    _one_of("state", INCIDENT_STATES),
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
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row, locked by whoever adds to the chain
    Column("hash", String(64), nullable=False),
    Column("rows", BigInteger, nullable=False),
)

site_key = Table(
    "site_key",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row, made by whoever needs it first
    Column("root", String(64), nullable=False),
    Column("made_at", Instant, nullable=False),
)

block = Table(
    "block",
    metadata,
    Column("number_key", String(64), primary_key=True),  # a keyed hash of the number: it outlives the person's erasure
    Column("calls", Boolean, nullable=False),
    Column("texts", Boolean, nullable=False),
    Column("who", String(WHO_ROOM), nullable=False),
    Column("why", String(WHY_ROOM), nullable=False),
    Column("at", Instant, nullable=False),
)

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
    _one_of("state", ("open", "done")),
    Index("ix_answer_open", "pbx", "received_at",
          sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")),
    Index("ix_answer_person", "person_id", "received_at"),
    Index("ix_answer_scored", "pbx", "received_at",
          sqlite_where=text("score IS NOT NULL"), postgresql_where=text("score IS NOT NULL")),
)  # fmt: skip

promise = Table(
    "promise",
    metadata,
    Column("reservation_id", Key, ForeignKey("reservation.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),  # 1 is what the rates are measured on
    Column("pbx", String(32), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("clock_starts_at", Instant, nullable=False),
    Column("aim_at", Instant, nullable=False),
    Column("deadline_at", Instant, nullable=False),
    Column("reason", String(40), nullable=False),
    Column("rules_version", Integer, nullable=False),
    _of_rules(),
)

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
    Column("agent_connected_at", Instant),
    Column("customer_dialled_at", Instant),
    Column("customer_answered_at", Instant),
    Column("ended_at", Instant),
    Column("outcome", String(20)),
    Column("counted", Boolean),
    Column("evidence", JSON),
    _one_of("outcome", OUTCOMES),
    _of_rules(),
    UniqueConstraint("reservation_id", "number"),
    Index("ix_attempt_person_day", "person_id", "claimed_at"),
    Index("ix_attempt_trunk", "pbx", "trunk", "claimed_at",
          sqlite_where=text(TELLING_WORDS), postgresql_where=text(TELLING_WORDS)),
    Index("ix_attempt_no_agent", "pbx", "claimed_at",
          sqlite_where=text(NO_AGENT_WORDS), postgresql_where=text(NO_AGENT_WORDS)),
    Index("uq_attempt_in_flight", "person_id", unique=True,
          sqlite_where=text("in_flight"), postgresql_where=text("in_flight")),
)  # fmt: skip

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
    _one_of("kind", KINDS),
)

past_stint = Table(
    "past_stint",  # from imported logs: who was logged in and not paused
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("agent", String(200), primary_key=True),
    Column("queue", String(128), primary_key=True),  # empty: in all that he serves
    Column("since_at", Instant, primary_key=True, autoincrement=False),
    Column("until_at", Instant, nullable=False),
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

# The words of the partial indexes: SQLite takes one only for a query that says the same, and `open = 1` is not.
OPEN = text("reservation.open")
SEVERE = text("reservation.open AND reservation.severity > 0")
IN_FLIGHT = text("attempt.in_flight")
TELLING = text("attempt." + TELLING_WORDS)
FOUND_NO_AGENT = text("attempt." + NO_AGENT_WORDS)
IN_INCIDENT = text("reservation.open AND reservation.incident_id IS NOT NULL")
INCIDENT_OPEN = text("incident.open")
LEFT_TO_PEOPLE = text("reservation.state = 'expired'")
REFUSED = text("reservation.state = 'refused'")
SCORED = text("answer.score IS NOT NULL")
FOR_PEOPLE = text("answer.state = 'open'")
