"""What happened, for programs that read on from a place: in order, each once, of the groups of queues that are theirs.

On PostgreSQL a row with a lower id may be committed after one with a higher id. Where ids are missing before one that
was stored a moment ago, reading stops there: what is missing comes, or never will.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select

from callback.site.work import Work
from callback.store import tables as t
from callback.store.feed import LASTS_S
from scheduler.clock import SECOND

MOST: Final = 500
LOOKED_THROUGH: Final = 2000
"""Rows of one reading; where others' are many, it gives few and goes on from there."""
_H, _R, _C = t.happened.c, t.reservation.c, t.call.c
_of_reservation, _of_call = t.person.alias(), t.person.alias()
_NEXT = (
    select(
        t.happened,
        _R.queue_group,
        _of_reservation.c.number.label("of_reservation"),
        _of_call.c.number.label("of_call"),
        _C.queue.label("call_queue"),
    )
    .outerjoin(t.reservation, _R.id == _H.reservation_id)
    .outerjoin(_of_reservation, _of_reservation.c.id == _R.person_id)
    .outerjoin(t.call, (_C.pbx == _H.pbx) & (_C.call_id == _H.call_id))
    .outerjoin(_of_call, _of_call.c.id == _C.person_id)
    .where(_H.id > bindparam("after"))
    .order_by(_H.id)
    .limit(LOOKED_THROUGH)
)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; `number` is the customer's, where there is one who is known still."""

    id: int
    at: int
    name: str
    reservation: int | None
    number: str | None
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Some events, and the place from which to read on; `more`: not all was looked through that is there."""

    events: tuple[Event, ...]
    after: int
    more: bool


def page(work: Work, after: int, most: int = MOST, groups: frozenset[str] | None = None) -> Page:
    """Read what happened after a place, at most so many; another group's events are passed over."""
    settled_at = work.now - round(LASTS_S[work.connection.dialect.name] * SECOND)
    found, more = list[Event](), False
    for looked, row in enumerate(work.connection.execute(_NEXT, {"after": after}), 1):
        if row.id > after + 1 and row.stored_at > settled_at and work.connection.dialect.name != "sqlite":
            break
        after = row.id
        if row.pbx == work.pbx and (
            groups is None or _group(work, row.queue_group, row.facts, row.call_queue) in groups
        ):
            number = row.of_reservation or row.of_call
            known = number if number is not None and number.startswith("+") else None
            found.append(Event(row.id, row.at, row.name, row.reservation_id, known, row.facts))
        more = len(found) == most or looked == LOOKED_THROUGH
        if more:
            break
    return Page(tuple(found), after, more)


def _group(work: Work, owed: str | None, facts: Mapping[str, Any], called: str | None) -> str | None:
    """The group of queues that an event is about; None: it is about none, and for those who see all."""
    if owed is not None:
        return owed
    queue = facts.get("queue") or called
    return work.site.rules.queue(queue).group if queue else facts.get("group")
