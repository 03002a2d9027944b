"""Promises that no alarm counts any more: those that are broken already, and those that are held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, select

from callback.attempts.forecast import AHEAD, MOST
from callback.site.work import Work
from callback.store import tables as t

_R = t.reservation.c
_COLUMNS = (_R.id, t.person.c.number, _R.queue, _R.deadline_at, _R.overdue_by_at, _R.incident_id)
_OPEN = select(*_COLUMNS, t.incident.c.cause).join(t.person).outerjoin(t.incident).where(t.OPEN)
BROKEN: Final = "waiting"
HELD: Final = "held"


@dataclass(frozen=True, slots=True)
class Owed:
    """To whom a call is owed, and by when; `told_at` is the new time told after the promise was broken."""

    reservation: int
    number: str
    queue: str
    deadline_at: int
    told_at: int | None = None
    incident: int | None = None
    cause: str | None = None  # of that incident

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Standing:
    """Those who were not called in time and wait still, the last broken first; and held ones, who break first, first.

    Held are those whose time ends within two hours, or has passed.
    """

    broken: Sequence[Owed] = ()
    held: Sequence[Owed] = ()

    @property
    def by_holder(self) -> dict[int | None, list[Owed]]:
        """Those held by incident; None: a person, or the service."""
        found: dict[int | None, list[Owed]] = {}
        for one in self.held:
            found.setdefault(one.incident, []).append(one)
        return found


NOTHING: Final = Standing()


def look(work: Work) -> Standing:
    """Look at those for whom callbacks are switched on."""
    broken = _read(work, _R.deadline_at.desc(), _R.state == BROKEN, _R.deadline_at <= work.now)
    held = _read(work, _R.deadline_at, _R.state == HELD, _R.deadline_at <= work.now + AHEAD)
    return Standing(broken, held)


def _read(work: Work, order: ColumnElement[int], *which: ColumnElement[bool]) -> list[Owed]:
    rows = work.connection.execute(_OPEN.where(_R.pbx == work.pbx, *which).order_by(order, _R.id).limit(MOST))
    return [Owed(*row) for row in rows if work.site.may_call(row.queue, row.number)]
