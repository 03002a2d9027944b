"""Of which time and of which queues figures of care are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Column, ColumnElement, or_, true

from callback.accounts.roles import Groups
from callback.site.context import Site


@dataclass(frozen=True, slots=True)
class Within:
    """From an instant until before another, of these groups of queues (None: of all)."""

    since_at: int
    until_at: int
    groups: Groups = None

    def pieces(self, cuts: tuple[int, ...]) -> Iterator[Within]:
        """The same, divided at these instants."""
        ends = [at for at in cuts if self.since_at < at < self.until_at]
        for since, until in zip([self.since_at, *ends], [*ends, self.until_at], strict=True):
            yield replace(self, since_at=since, until_at=until)


def of_groups(site: Site, queue: Column[Any], groups: Groups) -> ColumnElement[bool]:
    """A queue of these groups; one that the rules do not name is of the group that all are of."""
    if groups is None:
        return true()
    named = site.rules.queues
    theirs = queue.in_([name for name, rules in named.items() if rules.group in groups])
    return or_(theirs, queue.not_in(list(named))) if site.rules.queue("").group in groups else theirs
