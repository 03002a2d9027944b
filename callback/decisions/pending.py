"""What was decided and can be undone no more is done: by the service, also after it was away meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, delete, or_, select, update

from callback.decisions import actions, batch, records
from callback.reservations import earlier, moves
from callback.reservations.reservation import Reservation
from callback.reservations.states import Event
from callback.site.work import Work
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By
from callback.texts import compose
from scheduler.clock import DAY

AT_ONCE: Final = 50
KEPT_US: Final = DAY
"""How long it is kept what was decided at once; the audit keeps it for good."""
_B, _I, _R = t.batch.c, t.batch_item.c, t.reservation.c
# Made once, for they run every second. What is pending is little: as much as people decided in a quarter of a minute.
_RIPE = (
    select(_I.reservation_id)
    .join(t.batch, _B.id == _I.batch_id)
    .join(t.reservation, _R.id == _I.reservation_id)
    .where(t.PENDING, _B.pbx == bindparam("of_pbx"))
    .where(
        or_(
            _I.pending_until_at <= bindparam("now"),
            _R.state != "held",
            _R.losses > _I.losses,
        )
    )
    .order_by(_I.reservation_id)
    .limit(AT_ONCE)
)
_ITEMS = (
    select(_I.batch_id, _I.reservation_id, _I.before, _I.losses, _I.closes_as, _B.who, _B.why, _B.action)
    .join(t.batch, _B.id == _I.batch_id)
    .where(_I.reservation_id.in_(bindparam("reservations", expanding=True)), t.PENDING)
    .order_by(_I.reservation_id)
)
_NO_MORE = update(t.batch_item).where(_I.reservation_id == bindparam("reservation"), t.PENDING)
_NO_MORE = _NO_MORE.values(pending_until_at=None)
_STILL_PENDING = select(_I.batch_id).where(_I.batch_id == _B.id, t.PENDING).exists()
_OLD = select(_B.id).where(_B.at < bindparam("before"), ~_STILL_PENDING).order_by(_B.at).limit(AT_ONCE)
_FORGET = (
    delete(t.batch_item).where(_I.batch_id.in_(bindparam("batches", expanding=True))),
    delete(t.batch).where(_B.id.in_(bindparam("batches", expanding=True))),
)


@dataclass(frozen=True, slots=True)
class _Item:
    """One reservation that is to be closed, how it was, and who wants that."""

    batch: int
    reservation: int
    before: Mapping[str, Any]
    closes_as: Event
    by: By
    action: str
    losses: int  # that it had then


def settle(work: Work) -> int:
    """Close those that are due, at most `AT_ONCE`; give how many were looked at.

    A customer who called again meanwhile is called back all the same: that is newer than what the person knew. What
    somebody decided meanwhile stands, and is not closed either.
    """
    ripe = work.connection.execute(_RIPE, {"of_pbx": work.pbx, "now": work.now}).scalars().all()
    if not ripe:
        return 0
    incidents = earlier.lock_incidents(work.connection, [item.before for item in _items(work, ripe)])
    rows = records.lock(work, ripe, None)
    for item in _items(work, rows):  # once more: before the lock, somebody may have undone it
        _settle(work, item, rows[item.reservation], incidents)
    return len(ripe)


def forget(work: Work) -> int:
    """Delete the oldest batches that are kept no longer, at most `AT_ONCE`; give how many."""
    old = work.connection.execute(_OLD, {"before": work.now - KEPT_US}).scalars().all()
    for statement in _FORGET if old else ():
        work.connection.execute(statement, {"batches": old})
    return len(old)


def _items(work: Work, reservations: Any) -> list[_Item]:  # noqa: ANN401 - numbers, in whatever they come
    found = work.connection.execute(_ITEMS, {"reservations": list(reservations)})
    return [
        _Item(row.batch_id, row.reservation_id, row.before, row.closes_as, By(row.who, row.why), row.action, row.losses)
        for row in found
    ]


def _settle(work: Work, item: _Item, row: Reservation, incidents: frozenset[int]) -> None:
    work.connection.execute(_NO_MORE, {"reservation": row.id})
    if not row.open:
        return  # the customer was served, or it was closed by others: that is told
    if row.losses > item.losses:
        if row.state == "held":
            earlier.hold_no_more(work, row, item.before, incidents)
        _call_off(work, item, "the customer called again")
    elif row.state != "held":
        _call_off(work, item, "somebody decided otherwise")
    else:
        _CLOSE[item.closes_as](work, item)


def _call_off(work: Work, item: _Item, why: str) -> None:
    facts = {"batch": item.batch, "of": records.WORDS[item.closes_as]}
    batch.tell(work, By(audit.SERVICE, why), "called-off", {item.reservation: facts})


def _bar(work: Work, item: _Item) -> None:
    moves.move(work, item.reservation, "barred")
    compose.withdraw(work, item.reservation, "the number was blocked")
    batch.tell(work, item.by, "cancelled", {item.reservation: {"by": item.action, "batch": item.batch}})


_CLOSE: Final[Mapping[Event, Callable[[Work, _Item], None]]] = {
    "cancelled": lambda work, item: actions.cancel(work, item.reservation, item.by),
    "done-elsewhere": lambda work, item: actions.done_elsewhere(work, item.reservation, item.by),
    "withdrawn": lambda work, item: actions.not_lost(work, item.reservation, item.by),
    "barred": _bar,
}
