"""What people write down about a reservation, open or closed: rows of the audit, which nobody changes."""

from __future__ import annotations

from callback.decisions import actions, records
from callback.decisions.actions import NoSuchReservation
from callback.reservations.reservation import Reservation
from callback.site.telling import tell
from callback.site.work import Work
from callback.store.audit import By


def note(work: Work, reservation: int, by: By, groups: frozenset[str] | None = None) -> None:
    """Keep what `by` says. NoSuchReservation where there is none of these groups."""
    row = look_up(work, reservation, groups)
    tell(work, by, "note", {}, row.id)


def look_up(work: Work, reservation: int, groups: frozenset[str] | None) -> Reservation:
    """Give a reservation of these groups of queues; another group's is like one that there is not."""
    row = next(iter(records.seen(work, [reservation], groups)), None)
    if row is None:
        raise NoSuchReservation(actions.no_such(work, reservation))
    return row
