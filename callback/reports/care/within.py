"""Of which time and of which queues figures of care are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement

from callback.accounts.roles import Groups
from callback.site.groups import of_groups
from callback.site.work import Work
from callback.store import tables as t

_C = t.care_case.c


@dataclass(frozen=True, slots=True)
class Within:
    """From an instant until before another, of these groups of queues and of a department alone (None: of all)."""

    since_at: int
    until_at: int
    groups: Groups = None
    department: str | None = None

    def pieces(self, cuts: tuple[int, ...]) -> Iterator[Within]:
        """The same, divided at these instants."""
        ends = [at for at in cuts if self.since_at < at < self.until_at]
        for since, until in zip([self.since_at, *ends], [*ends, self.until_at], strict=True):
            yield replace(self, since_at=since, until_at=until)


def opened(work: Work, within: Within) -> tuple[ColumnElement[bool], ...]:
    """Cases that were opened in this time."""
    of_time = (_C.pbx == work.pbx, _C.opened_at >= within.since_at, _C.opened_at < within.until_at)
    of_department = () if within.department is None else (_C.department == within.department,)
    return (*of_time, *of_department, of_groups(work.site, _C.queue, within.groups))
