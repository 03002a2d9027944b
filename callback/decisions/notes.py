"""What people write down about a reservation, open or closed: rows of the audit, which nobody changes."""

from __future__ import annotations

from collections.abc import Collection

from callback.decisions import actions
from callback.decisions.actions import NoSuchReservation
from callback.events import Decided
from callback.reservations.reservation import Reservation
from callback.site.work import Work
from callback.store import audit
from callback.store.audit import By


def note(work: Work, reservation: int, by: By, groups: Collection[str] | None = None) -> None:
    """Keep what `by` says. NoSuchReservation where there is none of these groups."""
    row = look_up(work, reservation, groups)
    audit.add(work.connection, work.pbx, by, "note", row.id, {}, work.now)
    work.tell(Decided("note", by.who, by.why, row.id))


def look_up(work: Work, reservation: int, groups: Collection[str] | None) -> Reservation:
    """Give a reservation of these groups of queues; another group's is like one that there is not."""
    row = actions.look_up(work, reservation)
    if groups is not None and row.queue_group not in groups:
        raise NoSuchReservation(actions.no_such(work, reservation))
    return row
