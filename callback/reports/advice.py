"""Advice of the day as it was given, and what came of it: kept, so that it can be judged."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from callback.reports.kept import kept as kept_promises
from callback.reports.today import PAST, SETTLED, Today
from callback.store import tables as t
from callback.store.inserting import insert_new
from scheduler.clock import SECOND
from scheduler.staffing.halfhours import HALF_HOUR_S, half_hour
from scheduler.staffing.planning.intraday import Advice

SHOWN: Final = 10
_A, _R, _P = t.advice.c, t.reservation.c, t.promise.c
_KEY = (_A.pbx, _A.begins_at, _A.queue, _A.from_queue)
_CAME = (
    update(t.advice)
    .where(*(column == bindparam(f"of_{column.name}") for column in _KEY))
    .values(came_of=bindparam("told"))
)


@dataclass(frozen=True, slots=True)
class KeptAdvice:
    """Advice as it was given, by the time and queue that it was for.

    `from_queue` is empty for more agents than are there. `expected` are the losses, and the promises missed, if
    nothing was done; `came_of` are the same as they came, once that is known.
    """

    pbx: str
    begins_at: int
    queue: str
    from_queue: str
    until_at: int
    agents: int
    at: int
    why: str
    expected: dict[str, float]
    came_of: dict[str, float] | None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def record(connection: Connection, today: Today) -> int:
    """Keep the advice of now, and say how much of it is new: for one time, what was given first stays."""
    return sum(insert_new(connection, t.advice, _row(today, one)) for one in today.advice)


def _row(today: Today, one: Advice) -> dict[str, Any]:
    span = range(one.first, one.last + 1)
    begins_at, until_at = today.begins_at(one.first), today.begins_at(one.last + 1)
    breaking = today.breaking.get(today.site.rules.queue(one.queue).group)
    broken = breaking.broken if breaking else ()
    missed = sum(begins_at <= due.deadline_at < until_at for due in broken)
    return {
        "pbx": today.site.pbx,
        "begins_at": begins_at,
        "queue": one.queue,
        "from_queue": one.from_queue,
        "until_at": until_at,
        "agents": one.agents,
        "at": today.now,
        "why": why(today, one),
        "expected": {"losses": round(today.losses_expected(one.queue, span), 2), "missed": missed},
    }


def why(today: Today, one: Advice) -> str:
    """Say what the advice rests on: who is needed, and who is there."""
    needed = today.needed[one.queue][one.first - today.half_hour]
    there = len((today.at_work or {}).get(one.queue, ()))
    return f"{needed} needed, {there} there"


def settle(connection: Connection, today: Today) -> int:
    """See what came of advice whose time is over, and keep it; give of how many."""
    over = [one for one in kept(connection, today) if one.came_of is None and one.until_at + SETTLED <= today.now]
    for one in over:
        key = {f"of_{column.name}": getattr(one, column.name) for column in _KEY}
        connection.execute(_CAME, key | {"told": _came_of(connection, today, one)})
    return len(over)


def _came_of(connection: Connection, today: Today, row: KeptAdvice) -> dict[str, Any]:
    day, first = half_hour(row.begins_at, today.zone)
    last = half_hour(row.until_at - HALF_HOUR_S * SECOND, today.zone)[1]
    losses = round(today.losses(row.queue, range(first, last + 1), day), 2)
    return {"losses": losses, "missed": _missed(connection, today, row)}


def _missed(connection: Connection, today: Today, row: KeptAdvice) -> int:
    """Count the promises for that time and group of queues that were broken."""
    due = select(_P.reservation_id).where(_P.deadline_at >= row.begins_at, _P.deadline_at < row.until_at)
    of_group = _R.queue_group == today.site.rules.queue(row.queue).group
    valid = (one for one in kept_promises(connection, _R.pbx == row.pbx, of_group, _R.id.in_(due)) if one.valid)
    return sum(row.begins_at <= one.promise.deadline_at < row.until_at and one.missed(today.now) for one in valid)


def kept(connection: Connection, today: Today, limit: int | None = None) -> list[KeptAdvice]:
    """Give what advice was kept, the newest first."""
    query = select(t.advice).where(_A.pbx == today.site.pbx, _A.begins_at >= today.now - PAST)
    newest = query.order_by(_A.begins_at.desc(), _A.queue, _A.from_queue).limit(limit)
    return [KeptAdvice(**row._asdict()) for row in connection.execute(newest)]
