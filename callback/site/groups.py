"""Which queues are of some groups. A queue that the rules do not name, and none, are of the group that all are of."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ColumnElement, or_, true

from callback.accounts.roles import Groups
from callback.site.context import Site


def is_of(site: Site, queue: str | None, groups: Groups) -> bool:
    """Whether a queue is of these groups; None: of all."""
    return groups is None or site.rules.queue(queue or "").group in groups


def of_groups(site: Site, queue: Column[Any], groups: Groups) -> ColumnElement[bool]:
    """The rows whose queue is of these groups."""
    if groups is None:
        return true()
    named = site.rules.queues
    theirs = queue.in_([name for name, rules in named.items() if rules.group in groups])
    return or_(theirs, queue.is_(None), queue.not_in(list(named))) if is_of(site, "", groups) else theirs
