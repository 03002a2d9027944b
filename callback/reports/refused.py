"""The numbers that are not called back, and why: refused by their form or as fraud, until a person releases one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, literal, select, tuple_

from callback.site.work import Work
from callback.store import tables as t

_C, _L, _R = t.call.c, t.loss.c, t.reservation.c


@dataclass(frozen=True, slots=True)
class RefusedNumber:
    """One refused number in one queue; `call_id` is its last call, by which it is released."""

    reservation: int
    number: str
    queue: str
    reason: str
    losses: int
    made_at: int
    last_lost_at: int
    call_id: str

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def refused(
    work: Work, limit: int, groups: frozenset[str] | None = None, before: tuple[int, int] | None = None
) -> list[RefusedNumber]:
    """The refused numbers of a PBX, the latest first.

    `groups` are those of queues that may be seen (None: all); `before` is where the page before ended: when its last
    one was lost last, and its reservation.
    """
    newer = t.loss.alias()
    newest = select(func.max(newer.c.lost_at)).where(newer.c.reservation_id == _R.id).scalar_subquery()
    columns = select(
        _R.id,
        t.person.c.number,
        _R.queue,
        _C.recovery,
        _R.losses,
        _R.made_at,
        _R.last_lost_at,
        _C.call_id,
    )
    joined = (
        columns.select_from(t.reservation)
        .join(t.person)
        .join(t.loss, (_L.reservation_id == _R.id) & (_L.lost_at == newest))
        .join(t.call, (_C.pbx == _L.pbx) & (_C.call_id == _L.call_id))
    )
    wanted = joined.where(t.REFUSED, _R.pbx == work.pbx).order_by(_R.last_lost_at.desc(), _R.id.desc())
    if groups is not None:
        wanted = wanted.where(_R.queue_group.in_(groups))
    if before is not None:
        wanted = wanted.where(tuple_(_R.last_lost_at, _R.id) < tuple_(*map(literal, before)))
    return [RefusedNumber(*row) for row in work.connection.execute(wanted.limit(limit))]
