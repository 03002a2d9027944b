"""What programs asked for already, by the keys that they sent: each answer is kept for a day, and then deleted.

It is written in the transaction of what was done, so that a process that dies leaves either both or neither. Keys and
requests are known by a keyed hash: a request holds a number, and there are few enough of these to try them all.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, select, update

from callback.store import tables as t
from callback.store.inserting import insert_new
from callback.store.keys import site_key
from scheduler.clock import DAY

KEPT: Final = DAY
_I: Final = t.idempotency.c
_MINE: Final = (_I.token_id == bindparam("of_token"), _I.key == bindparam("of_key"))
_OLD: Final = delete(t.idempotency).where(_I.token_id == bindparam("of_token"), _I.made_at <= bindparam("before"))
_OLDEST: Final = (
    select(_I.made_at).where(_I.made_at <= bindparam("before")).order_by(_I.made_at).limit(bindparam("most"))
)
_OF_ALL: Final = delete(t.idempotency).where(_I.made_at <= bindparam("before"))
_KEPT: Final = select(_I.asked, _I.status, _I.headers, _I.body).where(*_MINE)
_ANSWERED: Final = update(t.idempotency).where(*_MINE)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: the token and its key, and what it asked for."""

    token: int
    key: str
    about: str

    def row(self, connection: Connection) -> dict[str, Any]:
        """What is kept of it."""
        secret = site_key(connection, "idempotency")
        key, about = (hmac.digest(secret, said.encode(), "sha256").hex() for said in (self.key, self.about))
        return {"token_id": self.token, "key": key, "asked": about}


@dataclass(frozen=True, slots=True)
class Kept:
    """The first answer; `same`: the request was the same."""

    same: bool
    status: int
    headers: dict[str, str]
    body: str


def begin(connection: Connection, asked: Asked, now: int) -> Kept | None:
    """Be the first to ask for this: None; else give what was answered. Another transaction with it is waited for."""
    connection.execute(_OLD, {"of_token": asked.token, "before": now - KEPT})
    new = asked.row(connection)
    if insert_new(connection, t.idempotency, new | {"made_at": now}):
        return None
    row = connection.execute(_KEPT, {"of_token": asked.token, "of_key": new["key"]}).one()
    return Kept(row.asked == new["asked"], row.status, row.headers, row.body)


def keep(connection: Connection, asked: Asked, status: int, headers: dict[str, str], body: str) -> None:
    """Keep the answer, in which no number stands in full: it would outlive its person's erasure."""
    values = _ANSWERED.values(status=status, headers=headers, body=body)
    connection.execute(values, {"of_token": asked.token, "of_key": asked.row(connection)["key"]})


def forget(connection: Connection, now: int, most: int) -> int:
    """Delete what any token asked for a day ago, the oldest first, about so many; give how many were found."""
    old = connection.execute(_OLDEST, {"before": now - KEPT, "most": most}).scalars().all()
    if old:
        connection.execute(_OF_ALL, {"before": old[-1]})
    return len(old)
