"""Advice of the day as it was given, and what came of it: kept, so that it can be judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, bindparam, exists, func, select, update

from callback.report_rates import CLOSED_BY_RULE, INVALID
from callback.store import tables as t
from callback.store.inserting import insert_new
from callback.today import PAST, SETTLED, Today
from scheduler.clock import SECOND
from scheduler.staffing.halfhours import HALF_HOUR_S, half_hour
from scheduler.staffing.today import Advice

SHOWN: Final = 10
_A, _R, _P, _T = t.advice.c, t.reservation.c, t.promise.c, t.attempt.c
_KEY = (_A.pbx, _A.begins_at, _A.queue, _A.from_queue)
_MISSED = (
    select(func.count())
    .select_from(t.promise.join(t.reservation))
    .where(_P.number == 1, _P.pbx == bindparam("of_pbx"), _R.queue_group == bindparam("of_group"))
    .where(_P.deadline_at >= bindparam("since"), _P.deadline_at < bindparam("until"), _R.state.not_in(INVALID))
    .where(~exists().where(_T.reservation_id == _R.id, _T.customer_dialled_at <= _P.deadline_at))
    .where(~and_(_R.state.in_(CLOSED_BY_RULE), _R.state_since_at <= _P.deadline_at))
)
_CAME = (
    update(t.advice)
    .where(*(column == bindparam(f"of_{column.name}") for column in _KEY))
    .values(came_of=bindparam("told"))
)


def record(connection: Connection, today: Today) -> int:
    """Keep the advice of now, and say how much of it is new: for one time, what was given first stays."""
    return sum(insert_new(connection, t.advice, _row(today, one)) for one in today.advice)


def _row(today: Today, one: Advice) -> dict[str, Any]:
    span = range(one.first, one.last + 1)
    begins_at, until_at = today.begins_at(one.first), today.begins_at(one.last + 1)
    breaking = today.breaking.get(today.shift.rules.queue(one.queue).group)
    broken = breaking.broken if breaking else ()
    missed = sum(begins_at <= due.deadline_at < until_at for due in broken)
    return {
        "pbx": today.shift.pbx,
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
    over = [row for row in kept(connection, today) if row.came_of is None and row.until_at + SETTLED <= today.now]
    for row in over:
        key = {f"of_{column.name}": row[place] for place, column in enumerate(_KEY)}
        connection.execute(_CAME, key | {"told": _came_of(connection, today, row)})
    return len(over)


def _came_of(connection: Connection, today: Today, row: Row[Any]) -> dict[str, Any]:
    day, first = half_hour(row.begins_at, today.zone)
    last = half_hour(row.until_at - HALF_HOUR_S * SECOND, today.zone)[1]
    asked = {"of_pbx": row.pbx, "of_group": today.shift.rules.queue(row.queue).group}
    missed = connection.execute(_MISSED, asked | {"since": row.begins_at, "until": row.until_at}).scalar_one()
    return {"losses": round(today.losses(row.queue, range(first, last + 1), day), 2), "missed": missed}


def kept(connection: Connection, today: Today, limit: int | None = None) -> Sequence[Row[Any]]:
    """Give what advice was kept, the newest first."""
    query = select(*_KEY, *(column for column in t.advice.columns if column not in _KEY))
    query = query.where(_A.pbx == today.shift.pbx, _A.begins_at >= today.now - PAST)
    return connection.execute(query.order_by(_A.begins_at.desc(), _A.queue, _A.from_queue).limit(limit)).all()
