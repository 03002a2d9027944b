"""The losses for which nobody is called back, and why: late news, refused numbers, … A person may release one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import literal, tuple_

from callback.customers import numbers
from callback.losses.release import RESERVED, lost_calls
from callback.site.context import Site
from callback.site.groups import of_groups
from callback.site.work import Work
from callback.store import tables as t

_C = t.call.c


@dataclass(frozen=True, slots=True)
class Unreserved:
    """One loss without a reservation. `number` is None where it cannot be told.

    `digits` are what was signalled then, if anything, and `readings` the numbers that they may be.
    """

    call_id: str
    started_at: int
    number: str | None
    digits: str | None
    readings: tuple[str, ...]
    queue: str | None
    kind: str
    reason: str  # why nobody is called back

    @property
    def caller(self) -> str:
        """The caller's number; where it cannot be told, what was signalled and which numbers that may be."""
        if self.number is not None or self.digits is None:
            return self.number or "no number"
        return f"{self.digits} ({' or '.join(self.readings)})" if self.readings else self.digits


def unreserved(
    work: Work, since_at: int, limit: int, groups: frozenset[str] | None = None, before: tuple[int, str] | None = None
) -> list[Unreserved]:
    """The losses since then for which there is no reservation, the newest first.

    `groups` are those of queues that may be seen (None: all, and calls that came to no queue); `before` is where the
    page before ended: when its last call began, and its id.
    """
    wanted = lost_calls().where(_C.pbx == work.pbx, _C.started_at >= since_at, _C.recovery.not_in(RESERVED))
    if groups is not None:
        wanted = wanted.where(of_groups(work.site, _C.queue, groups))
    if before is not None:
        wanted = wanted.where(tuple_(_C.started_at, _C.call_id) < tuple_(*map(literal, before)))
    rows = work.connection.execute(wanted.order_by(_C.started_at.desc(), _C.call_id.desc()).limit(limit))
    return [_made(work, row) for row in rows]


def find(work: Work, call_id: str, groups: frozenset[str] | None) -> Unreserved | None:
    """Give one such loss, where it may be seen."""
    wanted = lost_calls().where(_C.pbx == work.pbx, _C.call_id == call_id)
    if groups is not None:
        wanted = wanted.where(of_groups(work.site, _C.queue, groups))
    return next((_made(work, row) for row in work.connection.execute(wanted)), None)


def _made(work: Work, row: Any) -> Unreserved:  # noqa: ANN401 - a row of a join
    readings = _readings(work.site, row.channel, row.digits)
    return Unreserved(row.call_id, row.started_at, row.e164, row.digits, readings, row.queue, row.kind, row.recovery)


def _readings(site: Site, channel: str, digits: str | None) -> tuple[str, ...]:
    return numbers.read(digits, site.trunks[site.trunk_name(channel)]).readings if digits is not None else ()
