"""Who did what on a day, the last act first: of that, what concerns whoever asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, false, or_, select

from callback.accounts.roles import Viewer
from callback.site.work import Work
from callback.store import tables as t

MOST: Final = 200
OF_CUSTOMERS: Final = (
    "block", "unblock", "erase", "export", "reveal", "release", "incident-released", "incident-dropped",
    "customer-noted", "customer-note-removed",
)  # fmt: skip
"""Acts about a customer, or about many, that name no reservation: whoever only administers does not see them."""

_A, _R = t.audit.c, t.reservation.c


@dataclass(frozen=True, slots=True)
class Asked:
    """From an instant until before another; by one person, one action. Empty: any. `before` is a row of the chain."""

    since_at: int
    until_at: int
    who: str = ""
    action: str = ""
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """A row of the audit; `facts` are what stood before and after."""

    id: int
    at: int
    who: str
    action: str
    reservation: int | None
    why: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Some acts; `before` is where the next ones begin, None after the last."""

    acts: tuple[Act, ...]
    before: int | None


def page(work: Work, asked: Asked, viewer: Viewer, most: int = MOST) -> Page:
    """Give the acts that this person may see, at most so many."""
    columns = select(_A.id, _A.at, _A.who, _A.action, _A.reservation_id, _A.why, _A.facts)
    wanted = _narrowed(columns, work.pbx, asked).where(_seen_by(viewer))
    rows = work.connection.execute(wanted.order_by(_A.id.desc()).limit(most + 1)).all()
    acts = tuple(Act(*row) for row in rows[:most])
    return Page(acts, acts[-1].id if len(rows) > most else None)


def choices(work: Work, asked: Asked, viewer: Viewer) -> tuple[Sequence[str], Sequence[str]]:
    """Who acted in that time, and what was done, as the person may see it: what can be asked for."""
    whole = Asked(asked.since_at, asked.until_at)
    found = []
    for column in (_A.who, _A.action):
        wanted = _narrowed(select(column).distinct(), work.pbx, whole).where(_seen_by(viewer))
        found.append(list(work.connection.execute(wanted.order_by(column).limit(MOST)).scalars()))
    return found[0], found[1]


def _narrowed(wanted: Select[Any], pbx: str, asked: Asked) -> Select[Any]:
    wanted = wanted.where(_A.pbx == pbx, _A.at >= asked.since_at, _A.at < asked.until_at)
    if asked.who:
        wanted = wanted.where(_A.who == asked.who)
    if asked.action:
        wanted = wanted.where(_A.action == asked.action)
    return wanted if asked.before is None else wanted.where(_A.id < asked.before)


def _seen_by(viewer: Viewer) -> ColumnElement[bool]:
    """What concerns this person: the own acts, and what the roles add to them."""
    seen: list[ColumnElement[bool]] = [_A.who == viewer.user]
    if viewer.may("look"):
        seen.append(_of_groups(viewer.groups))
    if viewer.roles & {"manager", "auditor"} and viewer.groups is None:
        seen.append(_A.reservation_id.is_(None))
    if viewer.may("administer"):
        seen.append(_A.reservation_id.is_(None) & _A.action.not_in(OF_CUSTOMERS))
    return or_(false(), *seen)


def _of_groups(groups: frozenset[str] | None) -> ColumnElement[bool]:
    if groups is None:
        return _A.reservation_id.is_not(None)
    theirs = select(_R.id).where(_R.id == _A.reservation_id, _R.queue_group.in_(sorted(groups)))
    return theirs.exists()
