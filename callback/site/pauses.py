"""Pauses: registering, texting or calling is stopped for a queue, or for all, and goes on by itself at its time.

Whoever does any of these asks `Site.paused`. Texts and calls wait and are made afterwards; a lost call is filed and
listed for people, and nobody is registered for it afterwards unasked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from sqlalchemy import Connection, bindparam, select

from callback.store import tables as t

What = Literal["register", "text", "call"]
WHAT: Final[tuple[What, ...]] = get_args(What)
EVERY_QUEUE: Final = ""
_P = t.pause.c
_COLUMNS = (_P.id, _P.what, _P.queue, _P.since_at, _P.until_at, _P.who, _P.why)
_NOW: Final = (
    select(*_COLUMNS)
    .where(_P.pbx == bindparam("of_pbx"), _P.until_at > bindparam("now"), _P.ended_at.is_(None))
    .order_by(_P.until_at, _P.id)
)
_ONE: Final = select(*_COLUMNS, _P.ended_at).where(_P.pbx == bindparam("of_pbx"), _P.id == bindparam("number"))


@dataclass(frozen=True, slots=True)
class Pause:
    """What is paused, in which queue (empty: in every one), until when, by whom and why."""

    id: int
    what: What
    queue: str
    since_at: int
    until_at: int
    who: str
    why: str

    def holds(self, what: What, queue: str) -> bool:
        """Whether it stops this in that queue."""
        return self.what == what and self.queue in {EVERY_QUEUE, queue}


def active(connection: Connection, pbx: str, now: int) -> tuple[Pause, ...]:
    """Give the pauses that hold now, the first to end first."""
    rows = connection.execute(_NOW, {"of_pbx": pbx, "now": now})
    return tuple(Pause(*row) for row in rows)


def find(connection: Connection, pbx: str, number: int) -> Pause | None:
    """Give one pause, whether it holds or not."""
    row = connection.execute(_ONE, {"of_pbx": pbx, "number": number}).first()
    return None if row is None else Pause(*row[:-1])
