"""Calls that are switched on: reservations that were only watched until then are left to people, not called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, select

from callback.reservations import deadlines
from callback.reservations.reservation import RESERVATIONS, Reservation, read
from callback.site.work import Work
from callback.store import tables as t

_R, _P, _S = t.reservation.c, t.promise.c, t.shift_rules.c
_HERE = (t.OPEN, _R.pbx == bindparam("of_pbx"), _R.state == "waiting")
_WAITING = RESERVATIONS.where(*_HERE).order_by(_R.id)
_LOCK = _WAITING.with_for_update(of=t.reservation)
_PROMISED = select(_P.reservation_id, _P.rules_version).join(t.reservation, _R.id == _P.reservation_id).where(*_HERE)


def begin(work: Work) -> None:
    """Leave to people the reservations that were made while calls were off, where they are on now.

    Nothing was ever said to these customers, and it may be long ago. Callers who are lost from now on are called. A
    promise that was made while calls were on stands, though they were off meanwhile.
    """
    bodies, versions = _bodies(work), _versions(work)
    for row in read(work.connection, _LOCK, {"of_pbx": work.pbx}):
        promised = any(_called(bodies.get(version, {}), row) for version in versions[row.id])
        if not promised and work.site.may_call(row.queue, row.e164):
            deadlines.expire(work, row, "only-watched")


def _versions(work: Work) -> dict[int, set[int]]:
    """Under which versions of the rules promises of each reservation were made."""
    versions: dict[int, set[int]] = defaultdict(set)
    for reservation, version in work.connection.execute(_PROMISED, {"of_pbx": work.pbx}):
        versions[reservation].add(version)
    return versions


def _bodies(work: Work) -> dict[int, Mapping[str, Any]]:
    """What each version of the rules says of each queue."""
    versions = work.connection.execute(select(_S.version, _S.body).where(_S.pbx == work.pbx))
    return {row.version: row.body.get("queues", {}) for row in versions}


def _called(queues: Mapping[str, Any], row: Reservation) -> bool:
    """Whether this number was called for this queue under those rules."""
    queue = queues.get(row.queue, {})
    only = queue.get("only_numbers", ())
    return queue.get("calls") == "on" and (not only or row.e164 in only)
