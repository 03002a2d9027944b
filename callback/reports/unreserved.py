"""The losses for which nobody is called back, and why: late news, refused numbers, … A person may release one."""

from __future__ import annotations

from dataclasses import dataclass

from callback.customers import numbers
from callback.losses.release import RESERVED, lost_calls
from callback.site.context import Site
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


def unreserved(work: Work, since_at: int, limit: int) -> list[Unreserved]:
    """The losses since then for which there is no reservation, the newest first."""
    wanted = lost_calls().where(_C.pbx == work.pbx, _C.started_at >= since_at, _C.recovery.not_in(RESERVED))
    rows = work.connection.execute(wanted.order_by(_C.started_at.desc()).limit(limit))
    return [
        Unreserved(
            row.call_id,
            row.started_at,
            row.e164,
            row.digits,
            _readings(work.site, row.channel, row.digits),
            row.queue,
            row.kind,
            row.recovery,
        )
        for row in rows
    ]


def _readings(site: Site, channel: str, digits: str | None) -> tuple[str, ...]:
    return numbers.read(digits, site.trunks[site.trunk_name(channel)]).readings if digits is not None else ()
