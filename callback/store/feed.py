"""The feed: every event is a row, written in the transaction that made it happen, and read after a place in it.

No telephone number stands in a row: what looks like one is masked, and a reader finds the number by the reservation or
the call, for as long as that person is known. Rows are kept for `KEPT_DAYS`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select

from callback.events import Event, Happened, restored
from callback.logs.masking import masked_facts
from callback.store import tables as t
from callback.store.engine import late, tells, write_now

KEPT_DAYS: Final = 90
AT_ONCE: Final = 500
LASTS_S: Final = {"sqlite": 0.0, "postgresql": 60.0}
"""No transaction lasts longer: on PostgreSQL a row with a lower id may be committed after one with a higher id."""

_H, _R, _C, _U = t.happened.c, t.reservation.c, t.call.c, t.unread_number.c
_NEW = insert(t.happened)
_LAST = select(func.coalesce(func.max(_H.id), 0))
_IDS = (
    select(_H.id)
    .where(_H.id > bindparam("after"), _H.pbx == bindparam("of_pbx"))
    .order_by(_H.id)
    .limit(bindparam("most"))
)
_of_reservation, _of_call = t.person.alias(), t.person.alias()
_ROWS = (
    select(t.happened, func.coalesce(_of_reservation.c.number, _of_call.c.number, _U.digits).label("number"))
    .outerjoin(t.reservation, _R.id == _H.reservation_id)
    .outerjoin(_of_reservation, _of_reservation.c.id == _R.person_id)
    .outerjoin(t.call, (_C.pbx == _H.pbx) & (_C.call_id == _H.call_id))
    .outerjoin(_of_call, _of_call.c.id == _C.person_id)
    .outerjoin(t.unread_number, (_U.pbx == _H.pbx) & (_U.call_id == _H.call_id))
    .where(_H.id.in_(bindparam("ids", expanding=True)))
    .order_by(_H.id)
)
_OLD = select(_H.id).where(_H.stored_at < bindparam("before")).order_by(_H.stored_at).limit(bindparam("most"))


class _New:
    """Events that wait for the commit of their transaction."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def write(self, connection: Connection) -> None:
        connection.execute(_NEW, self.rows)
        tells(connection)


def append(connection: Connection, pbx: str, event: Event, at: int, now: int) -> Happened:
    """Keep an event of that PBX that happened at `at`, in this transaction: it is written when that ends."""
    happened = Happened(at, event)
    facts = masked_facts(happened.facts)
    row = {"pbx": pbx, "at": at, "stored_at": now, "name": happened.name, "facts": facts}
    about = {"reservation_id": facts.get("reservation"), "call_id": facts.get("call_id")}
    late(connection, _New).rows.append(row | about)
    return happened


def append_behind(connection: Connection, pbx: str, event: Event, at: int, room: int) -> None:
    """Keep an event at once, so many places behind the last one: readers who were further already miss nothing."""
    place, happened = end(connection) + room, Happened(at, event)
    row = {"id": place, "pbx": pbx, "at": at, "stored_at": at, "name": happened.name, "facts": happened.facts}
    connection.execute(_NEW, [row | {"reservation_id": None, "call_id": None}])


def end(connection: Connection) -> int:
    """The place after which everything is still to come."""
    write_now(connection)
    return int(connection.execute(_LAST).scalar_one())


class Reader:
    """Reads one PBX's feed from a place on, each event once, in the order in which it was stored."""

    def __init__(self, pbx: str, after: int, seconds: Callable[[], float] = time.monotonic) -> None:
        self._pbx, self._seconds = pbx, seconds
        self.after = after  # nothing up to here is looked at again
        self._read: set[int] = set()  # of what comes after that
        self._reached: deque[tuple[float, int]] = deque()  # when, and how far, all that was committed had been read

    def read(self, connection: Connection) -> list[Happened]:
        """What is new, up to `AT_ONCE` events; what cannot be read now is read the next time."""
        return [happened for _, happened in self.read_placed(connection)]

    def read_placed(self, connection: Connection) -> list[tuple[int, Happened]]:
        """The same, each with its own place: after another start some may come again, with the places they had."""
        last, now_s = end(connection), self._seconds()
        asked = {"after": self.after, "of_pbx": self._pbx, "most": AT_ONCE + len(self._read)}
        ids = [id_ for id_ in connection.execute(_IDS, asked).scalars() if id_ not in self._read][:AT_ONCE]
        happened = [(int(row.id), _happened(row)) for row in connection.execute(_ROWS, {"ids": ids})] if ids else []
        self._read.update(ids)
        self._move(ids[-1] if len(ids) == AT_ONCE else last, now_s, LASTS_S[connection.dialect.name])
        return happened

    def _move(self, reached: int, now_s: float, lasts_s: float) -> None:
        """Go on to where every transaction that had a place up to there is over: past other PBXs' events too."""
        if reached > (self._reached[-1][1] if self._reached else self.after):
            self._reached.append((now_s, reached))
        while self._reached and self._reached[0][0] <= now_s - lasts_s:
            self.after = self._reached.popleft()[1]
            self._read = {id_ for id_ in self._read if id_ > self.after}


def forget(connection: Connection, before: int, most: int) -> int:
    """Delete events that were stored before `before`, at most so many; give how many."""
    write_now(connection)
    ids = connection.execute(_OLD, {"before": before, "most": most}).scalars().all()
    if ids:
        connection.execute(delete(t.happened).where(_H.id.in_(ids)))
    return len(ids)


def _happened(row: Row[Any]) -> Happened:
    return Happened(row.at, restored(row.name, row.facts), row.number)
