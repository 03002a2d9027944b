"""The table of wrap-ups: what agents say of the callbacks that their phones took."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, String, Table

from callback.store.tables.accounts import NAME_ROOM
from callback.store.tables.base import WHY_ROOM, Instant, Key, metadata, one_of

WRAP_UPS = ("solved", "voicemail", "wrong-person", "call-again", "cut-off")
CAUSES = ("", "line", "sound", "transfer")

wrap_up = Table(
    "wrap_up",
    metadata,
    Column("attempt_id", String(32), ForeignKey("attempt.id"), primary_key=True),
    Column("pbx", String(32), nullable=False),
    Column("reservation_id", Key, ForeignKey("reservation.id"), nullable=False),  # which the attempt was for
    Column("person_id", Key, ForeignKey("person.id"), nullable=False),
    Column("who", String(NAME_ROOM), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("cause", String(20), nullable=False),  # of what was cut off; empty: of anything else
    Column("note", String(WHY_ROOM), nullable=False),
    Column("at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),  # when the last word was said
    Column("made", JSON, nullable=False),  # what that word did, so that another one can undo it
    one_of("outcome", WRAP_UPS),
    one_of("cause", CAUSES),
    Index("ix_wrap_up_who", "pbx", "who", "at"),
    Index("ix_wrap_up_person", "person_id", "at"),
    Index("ix_wrap_up_reservation", "reservation_id"),
)
