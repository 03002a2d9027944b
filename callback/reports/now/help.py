"""Help that people asked for, while its time is not over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, select

from callback.accounts.roles import Groups
from callback.site.work import Work
from callback.store import tables as t
from scheduler.clock import HOUR

LATELY: Final = 4 * HOUR
"""Help that was asked for before that has come, or comes no more."""

_U = t.audit.c
_ASKED = (
    select(_U.who, _U.at, _U.facts)
    .where(_U.pbx == bindparam("of_pbx"), _U.at >= bindparam("since"), _U.action == "help-asked")
    .order_by(_U.at.desc(), _U.id.desc())
)


@dataclass(frozen=True, slots=True)
class Help:
    """Who asked when for so many more agents, and until when they are to stay."""

    who: str
    at: int
    more: int
    until_at: int


def asked(work: Work, groups: Groups) -> Mapping[str, Help]:
    """What was asked for last in each of these groups, and is not over."""
    found: dict[str, Help] = {}
    for row in work.connection.execute(_ASKED, {"of_pbx": work.pbx, "since": work.now - LATELY}):
        group = row.facts["group"]
        if groups is None or group in groups:
            found.setdefault(group, Help(row.who, row.at, row.facts["more"], row.facts["until_at"]))
    return {group: one for group, one in found.items() if one.until_at > work.now}
