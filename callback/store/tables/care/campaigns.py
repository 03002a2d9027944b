"""Tables of campaigns: a day on which very many were hit, whom it is told, and how they judge it afterwards."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    text,
)

from callback.store.tables.base import WHO_ROOM, WHY_ROOM, Instant, Key, metadata, one_of

CAMPAIGN_STATES = ("draft", "ready", "running", "stopped", "done")
GROUP_ROOM = 128
_WAITING = text("state = 'waiting'")
_RUNNING = text("state = 'running'")
_HOOK = text("hook_until_at IS NOT NULL")
_CALLED = text("state = 'called'")

campaign = Table(
    "campaign",
    metadata,
    Column("id", Key, primary_key=True),
    Column("pbx", String(32), nullable=False),
    Column("name", String(100), nullable=False),
    Column("queue", String(128), nullable=False),  # whose texts they are, and where answers and callers go
    Column("state", String(20), nullable=False),
    Column("criteria", JSON, nullable=False),  # who was hit: queues, trunks, kinds, from, until, incident
    Column("words", JSON, nullable=False),  # the text, by language
    Column("per_min", Float, nullable=False),  # texts
    Column("people", Integer, nullable=False, server_default=text("0")),  # in the audience
    Column("told", Integer, nullable=False, server_default=text("0")),  # whose text was written into the outbox
    Column("told_until_at", Instant),  # the rate is counted from here: how far the running wave has come
    Column("incident_id", Key, ForeignKey("incident.id")),
    Column("hook_until_at", Instant),  # until then the dialplan tells those who call
    Column("made_at", Instant, nullable=False),
    Column("made_by", String(WHO_ROOM), nullable=False),
    Column("built_at", Instant),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("revision", Integer, nullable=False, server_default=text("1"), onupdate=text("campaign.revision + 1")),
    one_of("state", CAMPAIGN_STATES),
    Index("ix_campaign_made", "pbx", "made_at"),
    Index("ix_campaign_hook", "pbx", "hook_until_at", sqlite_where=_HOOK, postgresql_where=_HOOK),
    Index("ix_campaign_running", "pbx", sqlite_where=_RUNNING, postgresql_where=_RUNNING),
)

campaign_person = Table(
    "campaign_person",  # the audience; a person stands in it once. Very many rows are written at once: a foreign key
    metadata,  # would lock and look up a person for each. Neither persons nor campaigns are ever deleted
    Column("campaign_id", Key, primary_key=True, autoincrement=False),
    Column("person_id", Key, primary_key=True, autoincrement=False),
    Column("segment", String(GROUP_ROOM), nullable=False),  # a queue, or what a file says
    Column("language", String(35), nullable=False, server_default=text("''")),  # empty: that of the segment's queue
    Column("of_file", Boolean, nullable=False, server_default=text("false")),  # named by a file; else by calls alone
    Column("state", String(20), nullable=False),
    Column("why", String(40), nullable=False, server_default=text("''")),  # of those who are left out
    Column("not_before_at", Instant, nullable=False, server_default=text("0")),  # it was night where the phone is
    Column("told_at", Instant),
    one_of("state", ("waiting", "told", "left-out")),
    Index("ix_campaign_person_waiting", "campaign_id", "not_before_at", "person_id",
          sqlite_where=_WAITING, postgresql_where=_WAITING),
)  # fmt: skip

campaign_sample = Table(
    "campaign_sample",  # a random sample of the audience that is called back and asked
    metadata,
    Column("campaign_id", Key, ForeignKey("campaign.id"), primary_key=True),
    Column("round", Integer, primary_key=True, autoincrement=False),
    Column("seed", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("drawn_at", Instant, nullable=False),
    Column("drawn_by", String(WHO_ROOM), nullable=False),
)

campaign_asked = Table(
    "campaign_asked",  # who was drawn: called back by a reservation, and scored or left blank with a reason
    metadata,
    Column("campaign_id", Key, ForeignKey("campaign.id"), primary_key=True),
    Column("round", Integer, primary_key=True, autoincrement=False),
    Column("person_id", Key, ForeignKey("person.id"), primary_key=True),
    Column("segment", String(GROUP_ROOM), nullable=False),
    Column("state", String(20), nullable=False),
    Column("call_from_at", Instant, nullable=False),  # spread over opening hours, so that lost callers do not wait
    Column("reservation_id", Key, ForeignKey("reservation.id")),
    Column("score", Integer),  # 0 to 10
    Column("score_at", Instant),
    Column("who", String(WHO_ROOM)),
    Column("why_not", String(40), nullable=False, server_default=text("''")),  # of a blank one: refused, not-reached, …
    one_of("state", ("waiting", "called", "scored", "blank")),
    Index("ix_campaign_asked_reservation", "reservation_id"),
    Index("ix_campaign_asked_person", "person_id"),
    Index("ix_campaign_asked_due", "call_from_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
    Index("ix_campaign_asked_called", "campaign_id", "round", sqlite_where=_CALLED, postgresql_where=_CALLED),
)

campaign_check = Table(
    "campaign_check",  # the five S of a crisis, each with who answers for it
    metadata,
    Column("campaign_id", Key, ForeignKey("campaign.id"), primary_key=True),
    Column("line", String(20), primary_key=True),
    Column("owner", String(WHO_ROOM), nullable=False, server_default=text("''")),
    Column("done_at", Instant),
    Column("done_by", String(WHO_ROOM)),
    Column("note", String(WHY_ROOM), nullable=False, server_default=text("''")),
    one_of("line", ("shoulder", "sincerity", "speed", "system", "standard")),
)

CAMPAIGN_HOOKED = text("campaign.hook_until_at IS NOT NULL")
CAMPAIGN_RUNNING = text("campaign.state = 'running'")
TO_TELL = text("campaign_person.state = 'waiting'")
TO_BE_ASKED = text("campaign_asked.state = 'waiting'")
ASKED_NOW = text("campaign_asked.state = 'called'")
