"""Of which time and of which queues figures of care are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Column, ColumnElement, or_, true

from callback.accounts.roles import Groups
from callback.site.context import Site
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


def of_groups(site: Site, queue: Column[Any], groups: Groups) -> ColumnElement[bool]:
    """A queue of these groups; one that the rules do not name is of the group that all are of."""
    if groups is None:
        return true()
    named = site.rules.queues
    theirs = queue.in_([name for name, rules in named.items() if rules.group in groups])
    return or_(theirs, queue.not_in(list(named))) if site.rules.queue("").group in groups else theirs
