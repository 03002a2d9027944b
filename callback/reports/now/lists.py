"""What needs a person, and the promises of today: the rows behind figures that the queue does not show, and how many.

A list and its count are one statement, so that they cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, TextClause, bindparam, func, null, select

from callback.accounts.roles import Groups
from callback.reports.kept import kept
from callback.reports.now.figure import Figure, InList, ListName
from callback.reports.now.since import midnight
from callback.reports.queue.lanes import OF_OPEN
from callback.reports.rates import WITHIN_MIN, in_time, is_due
from callback.site.work import Work
from callback.store import audit
from callback.store import tables as t
from callback.texts import compose
from scheduler.clock import DAY, HOUR

MOST: Final = 1000
"""Rows of a list; where there are more, its figure says so."""
LEFT_FOR: Final = DAY
FAILED_FOR: Final = HOUR

_R, _A, _I, _U = t.reservation.c, t.answer.c, t.incident.c, t.audit.c


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of a list: `word` is a code (a wish, a cause, a state, a template), said by the list's own vocabulary.

    `who` decided, or whose it is, and `why` as that person wrote; `many` are the reservations that an incident holds.
    """

    id: int
    at: int
    word: str
    reservation: int | None = None
    queue: str | None = None
    who: str | None = None
    why: str | None = None
    many: int | None = None


_FIELDS: Final = tuple(field.name for field in fields(Listed))


def _columns(**given: Any) -> list[Any]:  # noqa: ANN401 - columns, or words in their place
    """The columns of Listed, in its order; what is not given is NULL."""
    return [given.get(name, null()).label(f"listed_{name}") for name in _FIELDS]


_OF_GROUPS = _R.queue_group.in_(bindparam("of_groups", expanding=True))


def _decided(action: str, state: str) -> Select[Any]:
    """What people decided since midnight, and still holds; the customer's own decisions and the service's are none."""
    return (
        select(*_columns(id=_U.id, at=_U.at, word=_U.action, reservation=_R.id, queue=_R.queue, who=_U.who, why=_U.why))
        .join_from(t.audit, t.reservation, _R.id == _U.reservation_id)
        .where(_U.pbx == bindparam("of_pbx"), _U.at >= bindparam("midnight"), _U.action == action)
        .where(_R.state == state, _U.who.not_in((audit.CUSTOMER, audit.SERVICE)))
        .order_by(_U.at.desc(), _U.id)
    )


def _incidents(*of: ColumnElement[bool]) -> Select[Any]:
    """Open incidents with how many of these reservations each holds; where some are named, those that hold any."""
    which: tuple[ColumnElement[bool] | TextClause, ...] = (
        _R.incident_id == _I.id,
        t.IN_INCIDENT,
        _R.state == "held",
        *of,
    )
    many = select(func.count()).select_from(t.reservation).where(*which).correlate(t.incident)
    any_held = select(_R.id).where(*which).correlate(t.incident).exists()
    return (
        select(*_columns(id=_I.id, at=_I.opened_at, word=_I.cause, many=many.scalar_subquery()))
        .where(_I.pbx == bindparam("of_pbx"), t.INCIDENT_OPEN, *([any_held] if of else []))
        .order_by(_I.opened_at, _I.id)
    )


_ANSWERS = (
    select(*_columns(id=_A.id, at=_A.received_at, word=_A.wish, reservation=_A.reservation_id, queue=_R.queue))
    .outerjoin_from(t.answer, t.reservation, _R.id == _A.reservation_id)
    .where(t.FOR_PEOPLE, _A.pbx == bindparam("of_pbx"))
    .order_by(_A.received_at, _A.id)
)
_LEFT = (
    select(
        *_columns(id=_R.id, at=_R.state_since_at, word=_R.kind, reservation=_R.id, queue=_R.queue, who=_R.assigned_to)
    )
    .where(_R.pbx == bindparam("of_pbx"), t.LEFT_TO_PEOPLE, _R.state_since_at >= bindparam("day_ago"))
    .order_by(_R.state_since_at.desc(), _R.id)
)
_ASSIGNED = (
    select(*_columns(id=_R.id, at=_R.deadline_at, word=_R.state, reservation=_R.id, queue=_R.queue, who=_R.assigned_to))
    .where(_R.pbx == bindparam("of_pbx"), t.OPEN, OF_OPEN, _R.assigned_to.is_not(None))
    .order_by(_R.deadline_at, _R.id)
)
_DECIDED = {"not-lost": _decided("withdrawn", "withdrawn"), "cancelled": _decided("cancelled", "cancelled")}
_BY_RESERVATION: Mapping[str, Select[Any]] = {"answers": _ANSWERS, "left": _LEFT, "assigned": _ASSIGNED, **_DECIDED}
# Made once, by whether only some groups are wanted
_SELECTS: Final[Mapping[bool, Mapping[str, Select[Any]]]] = {
    False: {**_BY_RESERVATION, "incidents": _incidents()},
    True: {
        **{name: query.where(_OF_GROUPS) for name, query in _BY_RESERVATION.items()},
        "incidents": _incidents(_OF_GROUPS),
    },
}
_COUNTS = {
    some: {
        name: select(func.count()).select_from(query.order_by(None).limit(MOST + 1).subquery())
        for name, query in queries.items()
    }
    for some, queries in _SELECTS.items()
}


def rows(work: Work, of: InList, groups: Groups) -> list[Listed]:
    """The rows of a list, of these groups or all: `MOST` of them at most."""
    if of.name in _PROMISES:
        return _promises(work, of, groups)
    if of.name == "texts-failed":
        return _texts(work, groups, MOST)
    query = _SELECTS[groups is not None][of.name].limit(MOST)
    return [Listed(*row) for row in work.connection.execute(query, _asked(work, groups))]


def count(work: Work, name: ListName, groups: Groups) -> Figure:
    """How many rows a list has, of these groups or all; not of promises (`reports/rates`)."""
    if name == "texts-failed":
        many = len(_texts(work, groups, MOST + 1))
    else:
        many = work.connection.execute(_COUNTS[groups is not None][name], _asked(work, groups)).scalar_one()
    return Figure(min(many, MOST), InList(name), more=many > MOST)


def _asked(work: Work, groups: Groups) -> dict[str, Any]:
    asked = {"of_pbx": work.pbx, "midnight": midnight(work.site, work.now), "day_ago": work.now - LEFT_FOR}
    return asked if groups is None else asked | {"of_groups": sorted(groups)}


def _texts(work: Work, groups: Groups, most: int) -> list[Listed]:
    """Texts that failed within the hour, the newest first: those of these groups, among the newest of all."""
    failed = compose.failed_texts(work, work.now - FAILED_FOR, most)
    ids = sorted({reservation for reservation, _ in failed if reservation is not None})
    wanted = select(_R.id, _R.queue).where(_R.id.in_(ids), *([] if groups is None else [_R.queue_group.in_(groups)]))
    queues = {row.id: row.queue for row in work.connection.execute(wanted)} if ids else {}
    return [
        Listed(text.id, text.at, text.template, reservation, queues.get(reservation or 0), why=text.reason)
        for reservation, text in failed
        if groups is None or reservation in queues
    ]


_PROMISES: Final = ("dialled", "reached", "closed", "due")


def _promises(work: Work, of: InList, groups: Groups) -> list[Listed]:
    """The reservations made today whose promise is over: all of them, or those that kept it in that time."""
    which = (_R.made_at >= midnight(work.site, work.now), _R.pbx == work.pbx)
    within = of.within_min or WITHIN_MIN[-1]
    ones = kept(work.connection, *which, *([] if groups is None else [_R.queue_group.in_(groups)]))
    found = [one for one in ones if is_due(one, within, work.now)]
    if of.name != "due":
        found = [one for one in found if in_time(one, of.name, within)]
    return [
        Listed(one.reservation, one.promise.clock_starts_at, one.state, one.reservation, one.queue) for one in found
    ]
