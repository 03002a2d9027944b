"""Undo: a whole batch stands again as it was before, row by row, for as long as that is promised."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import bindparam, select, update

from callback.customers import blocks
from callback.decisions import batch as deciding
from callback.decisions import blocking, records
from callback.decisions.records import ACTIONS, CLOSING, Action, Refusal, Why
from callback.errors import CallbackError
from callback.reservations import earlier
from callback.reservations.reservation import Reservation
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By
from callback.texts import compose, withheld

_B, _I, _R = t.batch.c, t.batch_item.c, t.reservation.c
_HEAD = (
    select(_B.action, _B.facts, _B.undo_until_at, _B.undone_at, _B.undone_by)
    .where(_B.id == bindparam("of_batch"), _B.pbx == bindparam("of_pbx"))
    .with_for_update()
)
_ITEMS = select(_I.reservation_id, _I.revision, _I.before, _I.pending_until_at).where(
    _I.batch_id == bindparam("of_batch")
)
_UNDONE = (
    update(t.batch)
    .where(_B.id == bindparam("of_batch"))
    .values(undone_at=bindparam("now"), undone_by=bindparam("by_whom"))
)
_NO_MORE = (
    update(t.batch_item)
    .where(_I.batch_id == bindparam("of_batch"), _I.reservation_id.in_(bindparam("ids", expanding=True)))
    .values(pending_until_at=None)
)


NotUndoneWhy = Literal["too-late", "undone", "changed"]


class NoSuchBatch(CallbackError):
    """There is no such batch on this PBX, or none that may be seen."""


class NotUndone(CallbackError):
    """A batch that cannot be undone: too late, undone already, or the number was decided about since."""

    def __init__(self, why: NotUndoneWhy, sentence: str) -> None:
        super().__init__(sentence)
        self.why = why


@dataclass(frozen=True, slots=True)
class _Head:
    action: Action
    facts: Mapping[str, Any]
    undo_until_at: int
    undone_at: int | None
    undone_by: str | None


@dataclass(frozen=True, slots=True)
class _Item:
    reservation: int
    revision: int
    before: Mapping[str, Any]
    pending_until_at: int | None


@dataclass(frozen=True, slots=True)
class Undone:
    """What stands again as it was, and what does not, with why."""

    batch: int
    action: Action
    undone: tuple[int, ...]
    refused: tuple[Refusal, ...]


def undo(work: Work, batch: int, by: By, *, groups: frozenset[str] | None = None) -> Undone:
    """Put back what a batch did, but where something was changed since. Its reservations are those of `groups`.

    A block is of a number: it is undone as a whole, also where it holds what another group owes, of which nothing is
    said. NoSuchBatch, or NotUndone after its time.
    """
    found_head = work.connection.execute(_HEAD, {"of_batch": batch, "of_pbx": work.pbx}).first()
    if found_head is None or found_head.action not in ACTIONS:  # what was decided about an incident is undone there
        raise NoSuchBatch(f"there is nothing to be undone by the number {batch}")
    head, kept = _Head(*found_head), _items(work, batch)
    incidents = earlier.lock_incidents(work.connection, [item.before for item in kept.values()])
    rows = records.lock(work, kept, None if head.action == "block" else groups)
    theirs = {row.id for row in rows.values() if groups is None or row.queue_group in groups}
    if kept and not theirs:
        raise NoSuchBatch(f"there is nothing to be undone by the number {batch}")
    _must_be_in_time(work, head)
    items = _items(work, batch)  # once more: before the lock, the service may have done what was to come
    found: dict[int, Why] = {}
    for row in rows.values():
        why = _why_not(head.action, items[row.id], row) or _put_back(work, head.action, items[row.id], row, incidents)
        if why is not None:
            found[row.id] = why
    undone = [one for one in rows if one not in found]
    if head.action == "block":
        blocking.put_back(work, head.facts, by)
    _say_nothing_to_blocked(work, [rows[one] for one in undone])
    work.connection.execute(_NO_MORE, {"of_batch": batch, "ids": undone})
    if len(rows) == len(kept):
        work.connection.execute(_UNDONE, {"of_batch": batch, "now": work.now, "by_whom": by.who})
    deciding.tell(work, by, "undone", {one: {"of": head.action, "batch": batch} for one in undone})
    shown = {one: why for one, why in found.items() if one in theirs}
    done = tuple(one for one in undone if one in theirs)
    return Undone(batch, head.action, done, records.refusals(work.connection, shown, {}))


def _items(work: Work, batch: int) -> dict[int, _Item]:
    return {row.reservation_id: _Item(*row) for row in work.connection.execute(_ITEMS, {"of_batch": batch})}


def _must_be_in_time(work: Work, head: _Head) -> None:
    if head.undone_at is not None:
        raise NotUndone("undone", f"it was undone already, by {head.undone_by}")
    if work.now >= head.undo_until_at:
        raise NotUndone("too-late", "it can be undone no more: 15 seconds have passed")
    if head.action == "block" and not blocking.must_stand(work, head.facts):
        raise NotUndone("changed", "somebody has decided about that number since")


def _why_not(action: Action, item: _Item, row: Reservation) -> Why | None:
    """Why a reservation is not put back; of one that is about to be closed only the hold is taken back."""
    if action in CLOSING:
        if item.pending_until_at is None:
            return None if records.UNTOUCHED in item.before else "done"
        if row.open:
            return None if row.state == "held" else "changed"
        return "closed"
    if row.revision == item.revision:
        return None
    if not row.open:
        return "closed"
    return "calling" if row.state == "calling" else "changed"


def _say_nothing_to_blocked(work: Work, rows: Collection[Reservation]) -> None:
    """Take back again what waits for a number that nobody may write to by now: its person may have said so since."""
    for row in rows:
        if blocks.blocked(work.connection, row.e164).texts:
            compose.withdraw(work, row.id, blocking.WHY)


def _put_back(work: Work, action: Action, item: _Item, row: Reservation, incidents: frozenset[int]) -> Why | None:
    before: Mapping[str, Any] = item.before
    if action in CLOSING:
        if records.UNTOUCHED not in before:
            earlier.hold_no_more(work, row, before, incidents)
        if action == "block":
            withheld.put_back(work.connection, row.id, withheld.from_json(before["texts"]))
        return None
    with work.connection.begin_nested() as saved:
        if earlier.put_back(work, row, before, incidents):
            return None
        saved.rollback()
    return "text-left"
