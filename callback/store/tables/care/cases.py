"""Tables of care: questions after a service, cases of unhappy customers, and what goes to departments."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
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

from callback.store.tables.base import WHO_ROOM, WHY_ROOM, Instant, Key, metadata, one_of

CASE_STATES = ("registered", "assigned", "answered", "confirmed", "closed", "unreachable", "withdrawn")
CASE_KINDS = ("dissatisfied", "complaint")
SURVEY_KINDS = ("call", "callback", "repair")
COMPLAINERS = ("meek", "aggressive", "demanding", "seeking-gain", "chronic")
CALLBACKS = ("", "repair", "confirm")
TOPIC_ROOM, ABOUT_ROOM = 200, 200
_OPEN = text("open")
_CALLING = text("callback <> ''")
_TO_ASK = text("next_ask_at IS NOT NULL")
_WAITING = text("state = 'waiting'")

survey = Table(
    "survey",  # one question to a customer about one service; nobody is asked twice for one
    metadata,
    Column("id", Key, primary_key=True),
    Column("pbx", String(32), nullable=False),
    Column("person_id", Key, ForeignKey("person.id"), nullable=False),
    Column("queue", String(128), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("about", String(ABOUT_ROOM), nullable=False),  # call/<call id>, callback/<reservation>, repair/<case>/<n>
    Column("agent", String(200)),  # who served, as the PBX names the member
    Column("asked_at", Instant, nullable=False),
    Column("score", Integer),  # 1 to 5
    Column("answered_at", Instant),
    Column("case_id", Key),  # that the answer opened, or that a question after a repair is about
    UniqueConstraint("pbx", "about"),
    one_of("kind", SURVEY_KINDS),
    Index("ix_survey_person", "person_id", "asked_at"),
    Index("ix_survey_asked", "pbx", "asked_at"),
    Index("ix_survey_case", "case_id"),
)  # fmt: skip

survey_place = Table(
    "survey_place",  # how far the feed was read for calls that customers are asked about; no row: nobody is asked
    metadata,
    Column("pbx", String(32), primary_key=True),
    Column("reached_id", Key, nullable=False),
)

care_case = Table(
    "care_case",
    metadata,
    Column("id", Key, primary_key=True),
    Column("pbx", String(32), nullable=False),
    Column("queue", String(128), nullable=False),
    Column("person_id", Key, ForeignKey("person.id"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("open", Boolean, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("opened_by", String(WHO_ROOM), nullable=False),
    Column("source", String(20), nullable=False),  # survey, agent, supervisor, api, text, csv
    Column("call_id", String(150)),  # that it is about
    Column("survey_id", Key, ForeignKey("survey.id")),  # whose answer opened it
    Column("answer_id", Key, ForeignKey("answer.id")),  # the text that a person judged to be a complaint
    Column("reference", String(100)),  # what a program or a file calls it
    Column("topic", String(TOPIC_ROOM), nullable=False, server_default=text("''")),  # billing/wrong-amount
    Column("product", String(100), nullable=False, server_default=text("''")),
    Column("department", String(64), nullable=False, server_default=text("''")),
    Column("severity", Integer, nullable=False, server_default=text("1")),  # 1 slight, 2 serious, 3 grave
    Column("words", Text, nullable=False, server_default=text("''")),  # what the customer said
    Column("wish", Text, nullable=False, server_default=text("''")),  # what the customer wants
    Column("owner", String(WHO_ROOM)),  # the person in charge: a user of the console
    Column("agent", String(200)),  # who was rated, as the PBX names the member
    Column("promised", String(WHY_ROOM), nullable=False, server_default=text("''")),  # what was promised …
    Column("promised_by_at", Instant),  # … by when
    Column("compensation", String(64), nullable=False, server_default=text("''")),  # of the rules' list
    Column("due_at", Instant, nullable=False),  # the first repair, by then
    Column("warned_at", Instant),  # that it is nearly due, or overdue
    Column("repaired_at", Instant),  # first answered; the customer's word on it comes later
    Column("asks", Integer, nullable=False, server_default=text("0")),  # texts and calls that asked for confirmation
    Column("asked_at", Instant),
    Column("next_ask_at", Instant),  # when an answered case is asked about; a confirmed one closes then
    Column("score_after", Integer),  # the last word of the customer, 1 to 5, after a repair
    Column("state_since_at", Instant, nullable=False),
    Column("repeat_of", Key, ForeignKey("care_case.id")),  # the same person and topic within so many days
    Column("repeats", Integer, nullable=False, server_default=text("0")),  # how often before
    Column("reservation_id", Key, ForeignKey("reservation.id")),  # the callback under way, or the last one
    Column("callback", String(20), nullable=False, server_default=text("''")),  # what that is for, until it ended
    Column("revision", Integer, nullable=False, server_default=text("1"), onupdate=text("care_case.revision + 1")),
    one_of("kind", CASE_KINDS),
    one_of("state", CASE_STATES),
    one_of("callback", CALLBACKS),
    Index("ix_care_case_callback", "pbx", "id", sqlite_where=_CALLING, postgresql_where=_CALLING),
    Index("uq_care_case_open", "pbx", "person_id", "kind", "topic", unique=True,
          sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_care_case_ask", "pbx", "next_ask_at", "id", sqlite_where=_TO_ASK, postgresql_where=_TO_ASK),
    Index("ix_care_case_due", "pbx", "due_at", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_care_case_person", "person_id", "opened_at"),
    Index("ix_care_case_opened", "pbx", "opened_at"),
    Index("ix_care_case_reservation", "reservation_id"),
    Index("uq_care_case_survey", "survey_id", unique=True,
          sqlite_where=text("survey_id IS NOT NULL"), postgresql_where=text("survey_id IS NOT NULL")),
    Index("uq_care_case_reference", "pbx", "reference", unique=True,
          sqlite_where=text("reference IS NOT NULL"), postgresql_where=text("reference IS NOT NULL")),
)  # fmt: skip

care_step = Table(
    "care_step",  # what happened to a case, in order
    metadata,
    Column("id", Key, primary_key=True),
    Column("case_id", Key, ForeignKey("care_case.id"), nullable=False),
    Column("pbx", String(32), nullable=False),
    Column("at", Instant, nullable=False),
    Column("who", String(WHO_ROOM), nullable=False),
    Column("event", String(20), nullable=False),
    Column("state", String(20), nullable=False),  # after it
    Column("note", Text, nullable=False, server_default=text("''")),
    Column("reference", String(100)),  # of a complaint that came in with this step
    Index("ix_care_step_case", "case_id", "id"),
    Index("uq_care_step_reference", "pbx", "reference", unique=True,
          sqlite_where=text("reference IS NOT NULL"), postgresql_where=text("reference IS NOT NULL")),
)  # fmt: skip

care_letter = Table(
    "care_letter",  # a mail to a department
    metadata,
    Column("id", Key, primary_key=True),
    Column("pbx", String(32), nullable=False),
    Column("cause", String(200), nullable=False, unique=True),  # one letter for each
    Column("case_id", Key, ForeignKey("care_case.id")),
    Column("department", String(64), nullable=False),
    Column("address", String(254), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("created_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Column("reason", Text),
    one_of("state", ("waiting", "sent", "failed", "withdrawn")),
    Index("ix_care_letter_due", "pbx", "next_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
    Index("ix_care_letter_case", "case_id"),
)

care_note = Table(
    "care_note",  # how to speak with a customer: set by people alone, and erased with the customer
    metadata,
    Column("person_id", Key, ForeignKey("person.id"), primary_key=True),
    Column("pbx", String(32), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("note", String(WHY_ROOM), nullable=False),
    Column("who", String(WHO_ROOM), nullable=False),
    Column("at", Instant, nullable=False),
    one_of("kind", COMPLAINERS),
)

contact_flag = Table(
    "contact_flag",  # a person to be contacted on a later day
    metadata,
    Column("id", Key, primary_key=True),
    Column("pbx", String(32), nullable=False),
    Column("person_id", Key, ForeignKey("person.id"), nullable=False),
    Column("queue", String(128), nullable=False),
    Column("on_at", Instant, nullable=False),  # the first moment of the day, on the site's clock
    Column("reason", String(WHY_ROOM), nullable=False),
    Column("owner", String(WHO_ROOM), nullable=False),
    Column("who", String(WHO_ROOM), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("state", String(20), nullable=False),
    Column("reservation_id", Key, ForeignKey("reservation.id")),
    Column("why_not", String(WHY_ROOM), nullable=False, server_default=text("''")),  # of one that could not be reserved
    one_of("state", ("waiting", "reserved", "cancelled", "refused")),
    Index("ix_contact_flag_due", "pbx", "on_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
    Index("ix_contact_flag_person", "person_id"),
)

CALLBACK_UNDER_WAY = text("care_case.callback <> ''")
CASE_OPEN = text("care_case.open")
TO_ASK = text("care_case.next_ask_at IS NOT NULL")
FLAG_WAITING = text("contact_flag.state = 'waiting'")
LETTER_WAITING = text("care_letter.state = 'waiting'")
