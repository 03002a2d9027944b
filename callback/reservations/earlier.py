"""How a reservation was before an act, and how it becomes so again: row, promises and texts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from callback.reservations import deadlines, moves, promises, times
from callback.reservations.reservation import Reservation, read_one
from callback.site.work import Work
from callback.store import tables as t
from callback.texts import withheld

_HOLD: Final = ("state_since_at", "incident_id")  # what a hold changes beside the state
_BESIDE: Final = (*_HOLD, "severity", "text_refusal", "assigned_to")
_I = t.incident.c
_STILL_OPEN = (
    select(_I.id).where(_I.id.in_(bindparam("incidents", expanding=True)), t.INCIDENT_OPEN).order_by(_I.id)
).with_for_update()
Earlier = Mapping[str, Any]
"""Plain values, without number or body: what an act may change."""


def of(connection: Connection, rows: Collection[Reservation], *, told: bool) -> dict[int, dict[str, Any]]:
    """Keep how reservations that are locked stand; `told`: also which promises were made and texts written."""
    columns = {row.id: {name: getattr(row, name) for name in ("state", *_BESIDE, *times.KEPT)} for row in rows}
    if not told:
        return columns
    made, texts = promises.made(connection, columns), withheld.standing(connection, columns)
    return {one: {**columns[one], "promises": made[one], "texts": withheld.as_json(texts[one])} for one in columns}


def lock_incidents(connection: Connection, kept: Collection[Earlier]) -> frozenset[int]:
    """Lock the incidents that held some of these, and give those that are open still.

    Whoever locks a reservation too does that afterwards.
    """
    asked = sorted({one["incident_id"] for one in kept if one["incident_id"] is not None})
    return frozenset(connection.execute(_STILL_OPEN, {"incidents": asked}).scalars()) if asked else frozenset()


def put_back(work: Work, row: Reservation, before: Earlier, incidents: frozenset[int]) -> bool:
    """Let a locked reservation stand as it did; False where a text of the act has left, which nothing takes back.

    `incidents` are those that are open. Whom one held that is over by now waits: nobody else would let go.
    """
    if "promises" in before:
        if not withheld.put_back(work.connection, row.id, withheld.from_json(before["texts"])):
            return False
        promises.strike_out(work, row.id, before["promises"])
    times.change(work.connection, row.id, **{name: before[name] for name in times.KEPT})
    moves.put_back(work, row.id, before["state"], {name: before[name] for name in _BESIDE})
    _let_go(work, row.id, before, incidents)
    return True


def hold_no_more(work: Work, row: Reservation, before: Earlier, incidents: frozenset[int]) -> None:
    """Take back a hold alone: what changed since beside it stays."""
    moves.put_back(work, row.id, before["state"], {name: before[name] for name in _HOLD})
    _let_go(work, row.id, before, incidents)


def _let_go(work: Work, reservation: int, before: Earlier, incidents: frozenset[int]) -> None:
    """Resume whom an incident held that is over."""
    if before["incident_id"] is None or before["incident_id"] in incidents:
        return
    moves.move(work, reservation, "resumed")
    row = read_one(work.connection, reservation)
    if row is not None:
        deadlines.give_time(work, row)
