"""Who changed a reservation last, and when: what somebody is told whose page is older than that."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select

from callback.store import audit
from callback.store import tables as t
from callback.store.engine import write_now

_H, _A = t.happened.c, t.audit.c
_EVENTS = select(func.max(_H.id)).where(
    _H.reservation_id.in_(bindparam("reservations", expanding=True)), _H.reservation_id.is_not(None)
)
_LAST_EVENTS = select(_H.reservation_id, _H.at, _H.name, _H.facts).where(_H.id.in_(_EVENTS.group_by(_H.reservation_id)))
_ACTS = select(func.max(_A.id)).where(_A.reservation_id.in_(bindparam("reservations", expanding=True)))
_LAST_ACTS = select(_A.reservation_id, _A.at, _A.action, _A.who).where(_A.id.in_(_ACTS.group_by(_A.reservation_id)))


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to a reservation last: an event's name or an act, by whom (`service`: by itself), and when."""

    what: str
    who: str
    at: int


def last(connection: Connection, reservations: Collection[int]) -> dict[int, Change]:
    """The last change of each of these that is known; where the feed has forgotten it, the last act of the audit."""
    if not reservations:
        return {}
    write_now(connection)  # what this transaction has told
    asked = {"reservations": sorted(reservations)}
    acts = {row.reservation_id: Change(row.action, row.who, row.at) for row in connection.execute(_LAST_ACTS, asked)}
    events = {
        row.reservation_id: Change(row.facts.get("action", row.name), row.facts.get("who", audit.SERVICE), row.at)
        for row in connection.execute(_LAST_EVENTS, asked)
    }
    both = {one: [change for change in (events.get(one), acts.get(one)) if change] for one in {*acts, *events}}
    return {one: max(changes, key=lambda change: change.at) for one, changes in both.items()}
