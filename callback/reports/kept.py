"""How each reservation did by the promise that counts for it: the facts on which all rates rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from sqlalchemy import ColumnElement, Connection, case, func, select

from callback.store import tables as t
from scheduler.promise import CARRIED_OVER, Promise, measured, missed

INVALID: Final = frozenset({"refused", "withdrawn", "continued"})
CLOSED_BY_RULE: Final = frozenset({"reached", "returned", "given-up", "cancelled", "done-elsewhere"})
_R, _P, _A, _U = t.reservation.c, t.promise.c, t.attempt.c, t.audit.c
_TIMES = (_P.made_at, _P.clock_starts_at, _P.aim_at, _P.deadline_at, _P.reason)


def _first(at: ColumnElement[int]) -> ColumnElement[int]:
    """When that happened first to a reservation, looked up for each: a join would read the attempts of all."""
    return select(func.min(at)).where(_A.reservation_id == _R.id).scalar_subquery()


_REACHED_AT = case((_A.outcome == "reached", func.coalesce(_A.customer_answered_at, _A.ended_at)))
_BY_HAND = select(_U.reservation_id).where(_U.reservation_id == _R.id, _U.action == "called-by-hand").exists()
_SPOKEN_AT = case((_BY_HAND, _R.state_since_at))  # by hand: when that call was over, which flatters nothing
DIALLED_AT: Final = func.coalesce(_first(_A.customer_dialled_at), _SPOKEN_AT)
REACHED_AT: Final = func.coalesce(_first(_REACHED_AT), _SPOKEN_AT)
CLOSED_AT: Final = case((_R.state.in_(sorted(CLOSED_BY_RULE)), _R.state_since_at))
"""When a reservation was first dialled, reached and closed by rule, in SQL; NULL: it was not."""
_KEPT = (
    select(
        _R.id,
        _R.queue,
        _R.queue_group,
        _R.state,
        DIALLED_AT.label("dialled_at"),
        REACHED_AT.label("reached_at"),
        CLOSED_AT.label("closed_at"),
        *_TIMES,
    )
    .join(t.promise, _P.reservation_id == _R.id)
    .where(t.LOST_ONLY)
)


@dataclass(frozen=True, slots=True)
class Kept:
    """One reservation: its promises in the order made, and when it was first dialled, reached and closed by rule.

    Whom an agent rang by hand and talked with was reached too.
    """

    reservation: int
    queue: str
    group: str
    state: str
    promises: tuple[Promise, ...]
    dialled_at: int | None
    reached_at: int | None
    closed_at: int | None

    @property
    def valid(self) -> bool:
        """All are but refused numbers, those withdrawn as not lost, and those that go on as another one."""
        return self.state not in INVALID

    @property
    def promise(self) -> Promise:
        """The promise by which it counts."""
        return measured(self.promises)

    @property
    def carried_over(self) -> bool:
        """Whether any of its promises was for the next opening."""
        return any(one.reason == CARRIED_OVER for one in self.promises)

    def missed(self, now: int) -> bool:
        """Whether nobody had dialled the customer, or closed it by rule, when that promise ended."""
        done = [at for at in (self.dialled_at, self.closed_at) if at is not None]
        return missed(self.promises, min(done, default=None), now)


def kept(connection: Connection, *which: ColumnElement[bool]) -> Iterator[Kept]:
    """The reservations for which `which` holds, in SQL on `reservation`."""
    query = _KEPT.where(*which).order_by(_R.id, _P.number)
    for _, rows in groupby(connection.execute(query), key=lambda row: row.id):
        first, *others = rows
        yield Kept(
            reservation=first.id,
            queue=first.queue,
            group=first.queue_group,
            state=first.state,
            promises=tuple(Promise(*row[-len(_TIMES) :]) for row in (first, *others)),
            dialled_at=first.dialled_at,
            reached_at=first.reached_at,
            closed_at=first.closed_at,
        )
