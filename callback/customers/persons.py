"""Persons: whoever has a number of their own is one."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from callback.store import tables as t
from callback.store.inserting import insert_new

_SHARED = select(t.person.c.shared).where(t.person.c.id == bindparam("of_person"))
_PERSON = select(t.person.c.id).where(t.person.c.number == bindparam("e164"))


def person_of(connection: Connection, e164: str, now: int) -> int:
    """The person behind a number; made when new."""
    known: int | None = connection.execute(_PERSON, {"e164": e164}).scalar_one_or_none()
    if known is None:  # most callers called before
        insert_new(connection, t.person, {"number": e164, "created_at": now})
        known = connection.execute(_PERSON, {"e164": e164}).scalar_one()
    return known


def is_shared(connection: Connection, person: int) -> bool:
    """Whether the number is many people's: a company's switchboard."""
    return bool(connection.execute(_SHARED, {"of_person": person}).scalar_one())
