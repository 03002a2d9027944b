"""Calls that are switched on: whom the service had only watched until then is nobody's customer to be rung at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, Select, select

from callback.reservations import deadlines
from callback.site.work import Work
from callback.store import tables as t

_R, _P, _S = t.reservation.c, t.promise.c, t.shift_rules.c
_WAITING: Select[Any] = (
    select(_R.id, _R.queue, t.person.c.number.label("e164"), _P.rules_version)
    .select_from(t.reservation)
    .join(t.person)
    .join(t.promise, _P.reservation_id == _R.id)
    .where(t.OPEN, _R.state == "waiting")
    .order_by(_R.id)
)


def begin(work: Work) -> None:
    """Leave to people whom nobody promised anything: reservations made while calls were off, and which are on now.

    Nothing was ever said to them, and it may be long ago. Whoever is lost from now on is called. A promise that was
    made while calls were on stands, though they were off meanwhile.
    """
    rows = work.connection.execute(_WAITING.where(_R.pbx == work.pbx)).all()
    before = _bodies(work)
    promised = {row.id for row in rows if _called(before.get(row.rules_version), row)}
    watched = {row.id: row for row in rows if row.id not in promised and work.site.may_call(row.queue, row.e164)}
    for row in watched.values():
        deadlines.expire(work, row, "only-watched")


def _bodies(work: Work) -> dict[int, Mapping[str, Any]]:
    """What each version of the rules says of each queue."""
    versions = work.connection.execute(select(_S.version, _S.body).where(_S.pbx == work.pbx))
    return {row.version: row.body.get("queues", {}) for row in versions}


def _called(queues: Mapping[str, Any] | None, row: Row[Any]) -> bool:
    """Whether this number was called for this queue under those rules."""
    queue = (queues or {}).get(row.queue, {})
    only = queue.get("only_numbers", ())
    return queue.get("calls") == "on" and (not only or row.e164 in only)
