"""Customers flagged for a later day, as pages list them: those to come by their days, and those that are over."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Select, tuple_, type_coerce

from callback.accounts.roles import Groups
from callback.care.flags import FLAGS, Flag, read
from callback.site.groups import of_groups
from callback.site.work import Work
from callback.store import tables as t

PAGE: Final = 100
_OF_PERSON: Final = 20
_F = t.contact_flag.c
Place = tuple[int, int]
"""Where a page ends: the day, and the flag's number."""


def to_come(
    work: Work, groups: Groups = None, after: Place | None = None, most: int = PAGE
) -> tuple[list[Flag], Place | None]:
    """Those whose day is still to come, or is now, by their days; and where the next ones begin."""
    wanted = _seen_of(work, groups).where(t.FLAG_WAITING).order_by(_F.on_at, _F.id)
    if after is not None:
        wanted = wanted.where(tuple_(_F.on_at, _F.id) > _place(after))
    return _page(work, wanted, most)


def over(
    work: Work, groups: Groups = None, after: Place | None = None, most: int = PAGE
) -> tuple[list[Flag], Place | None]:
    """Those that became a callback, were cancelled or could not be reserved: the one that was flagged last first."""
    wanted = _seen_of(work, groups).where(_F.state != "waiting").order_by(_F.id.desc())
    if after is not None:
        wanted = wanted.where(_F.id < after[1])
    return _page(work, wanted, most)


def of_person(work: Work, person: int, groups: Groups = None) -> list[Flag]:
    """The flags of a customer that wait or are callbacks, by their days."""
    wanted = _seen_of(work, groups).where(_F.person_id == person, _F.state.in_(("waiting", "reserved")))
    return read(work, wanted.order_by(_F.on_at.desc(), _F.id).limit(_OF_PERSON))


def queues(work: Work, groups: Groups) -> list[str]:
    """The queues of these groups that flag customers."""
    named = work.site.rules.queues.items()
    return [name for name, queue in named if queue.care.flags and (groups is None or queue.group in groups)]


def _page(work: Work, wanted: Select[Any], most: int) -> tuple[list[Flag], Place | None]:
    found = read(work, wanted.limit(most + 1))
    shown = found[:most]
    return shown, (shown[-1].on_at, shown[-1].id) if len(found) > most else None


def _place(place: Place) -> ColumnElement[Any]:
    return tuple_(type_coerce(place[0], _F.on_at.type), type_coerce(place[1], _F.id.type))


def _seen_of(work: Work, groups: Groups) -> Select[Any]:
    return FLAGS.where(_F.pbx == work.pbx, of_groups(work.site, _F.queue, groups))
