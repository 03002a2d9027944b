"""Persons: whoever has a number of their own is one."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from callback.customers import numbers
from callback.store import keys
from callback.store import tables as t
from callback.store.inserting import insert_all_new, insert_new

_SHARED = select(t.person.c.shared).where(t.person.c.id == bindparam("of_person"))
TAIL_DIGITS: Final = 4
ERASED: Final = "erased:"
"""What stands in the place of an erased number begins so."""
_HASHED: Final = 16
_WORD_BYTES: Final = 12
_MANY = select(t.person.c.id, t.person.c.number).where(t.person.c.number.in_(bindparam("e164s", expanding=True)))
_PERSON = select(t.person.c.id).where(t.person.c.number == bindparam("e164"))


def person_of(connection: Connection, e164: str, now: int) -> int:
    """The person behind a number; made when new."""
    known: int | None = connection.execute(_PERSON, {"e164": e164}).scalar_one_or_none()
    if known is None:  # most callers called before
        insert_new(connection, t.person, _new(_tail_key(connection), e164, now))
        known = connection.execute(_PERSON, {"e164": e164}).scalar_one()
    return known


def persons_of(connection: Connection, e164s: Collection[str], now: int) -> dict[str, int]:
    """The persons behind many numbers; made when new."""
    known = {row.number: row.id for row in connection.execute(_MANY, {"e164s": list(e164s)})}
    if new := [e164 for e164 in e164s if e164 not in known]:
        key = _tail_key(connection)
        insert_all_new(connection, t.person, [_new(key, e164, now) for e164 in new])
        known |= {row.number: row.id for row in connection.execute(_MANY, {"e164s": new})}
    return known


def _new(key: bytes, e164: str, now: int) -> dict[str, Any]:
    told = {"tail": _tail(key, e164), "takes_texts": numbers.takes_texts(e164)}
    return {"number": e164, "created_at": now, **told}


def forget(connection: Connection, person: int) -> None:
    """Let a word that nobody can guess stand in the place of a person's number, for good."""
    word = f"{ERASED}{secrets.token_hex(_WORD_BYTES)}"
    connection.execute(update(t.person).where(t.person.c.id == person).values(number=word, tail=None, takes_texts=None))


def lock(connection: Connection, person: int) -> None:
    """Let nobody else open something for this customer until the transaction ends."""
    connection.execute(select(t.person.c.id).where(t.person.c.id == person).with_for_update())


def is_shared(connection: Connection, person: int) -> bool:
    """Whether the number is many people's: a company's switchboard."""
    return bool(connection.execute(_SHARED, {"of_person": person}).scalar_one())


def tail_of(connection: Connection, number: str) -> str:
    """The keyed hash of a number's last digits: people find a caller by it, and a copy of the table tells nobody."""
    return _tail(_tail_key(connection), number)


def _tail_key(connection: Connection) -> bytes:
    return keys.site_key(connection, "person tail")


def _tail(key: bytes, number: str) -> str:
    return hmac.digest(key, number[-TAIL_DIGITS:].encode(), "sha256").hex()[:_HASHED]


_WITHOUT = (
    select(t.person.c.id, t.person.c.number)
    .where(t.person.c.id > bindparam("after"), t.person.c.id <= bindparam("until"), t.person.c.tail.is_(None))
    .where(t.person.c.number.like("+%"))
)
_NEXT_ID = select(t.person.c.id).where(t.person.c.id > bindparam("after")).order_by(t.person.c.id).limit(1)
_FILL = update(t.person).where(t.person.c.id == bindparam("of_person")).values(tail=bindparam("its_tail"))


def fill_tails(connection: Connection, after: int, most: int) -> int | None:
    """Give those a tail who were known before there was one, among the next `most` ids after that one.

    Gives the id to go on after; None once nobody comes after it. An erased person has none.
    """
    first = connection.execute(_NEXT_ID, {"after": after}).scalar_one_or_none()
    if first is None:
        return None
    until: int = first + most - 1
    rows = connection.execute(_WITHOUT, {"after": after, "until": until}).all()
    if rows:
        tails = [{"of_person": row.id, "its_tail": tail_of(connection, row.number)} for row in rows]
        connection.execute(_FILL, tails)
    return until
