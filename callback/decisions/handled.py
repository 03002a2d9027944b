"""Those left to people: somebody says that one is dealt with, and may take that back for a while."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, update

from callback.decisions import batch as deciding
from callback.decisions import records
from callback.decisions.records import UNDO_US, Asked
from callback.reservations.reservation import Reservation
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By

_R = t.reservation.c
_HANDLED = update(t.reservation).where(_R.id.in_(bindparam("ids", expanding=True))).values(handled_at=bindparam("at"))


@dataclass(frozen=True, slots=True)
class Handled:
    """Of which reservations it was said, of which not (others were quicker), and until when it can be taken back."""

    done: tuple[int, ...]
    refused: tuple[int, ...]
    undo_until_at: int


def handle(work: Work, asked: Sequence[Asked], by: By, groups: frozenset[str] | None = None) -> Handled:
    """Say that these, left to people, are dealt with; of the others nothing is said."""
    rows = records.lock(work, [one.reservation for one in asked], groups)
    asked = tuple({one.reservation: one for one in asked}.values())  # each once, as often as it was sent
    wanted = [one for one in asked if one.reservation in rows]
    done = [one.reservation for one in wanted if _is_left(rows[one.reservation], one.revision)]
    _write(work, done, work.now, by, "handled")
    return Handled(tuple(done), _others(asked, done), work.now + UNDO_US)


def take_back(work: Work, reservations: Collection[int], by: By, groups: frozenset[str] | None = None) -> Handled:
    """Take that back, where it was said a moment ago."""
    rows = records.lock(work, list(reservations), groups)
    done = [row.id for row in rows.values() if row.handled_at is not None and work.now <= row.handled_at + UNDO_US]
    _write(work, done, None, by, "handled-not")
    return Handled(tuple(done), tuple(one for one in dict.fromkeys(reservations) if one not in done), 0)


def _is_left(row: Reservation, revision: int) -> bool:
    return row.state == "expired" and row.handled_at is None and row.revision == revision


def _others(asked: Sequence[Asked], done: Collection[int]) -> tuple[int, ...]:
    return tuple(one.reservation for one in asked if one.reservation not in done)


def _write(work: Work, reservations: Sequence[int], at: int | None, by: By, action: str) -> None:
    if not reservations:
        return
    work.connection.execute(_HANDLED, {"ids": list(reservations), "at": at})
    deciding.tell(work, by, action, {reservation: {} for reservation in reservations})
