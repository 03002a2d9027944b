"""The timeline of one reservation, from the customer's first ring on, and of one customer: the same entries."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, bindparam, func, select

from callback.customers.persons import ERASED
from callback.reports.queue.board import Queue
from callback.reports.timeline import rows
from callback.reports.timeline.entries import Entry, in_order
from callback.reports.timeline.next_step import NextStep, next_step
from callback.reports.timeline.rows import Scope
from callback.reservations.reservation import RESERVATIONS, Reservation, read
from callback.site.work import Work
from callback.store import audit
from callback.store import tables as t

CALLS_AT_MOST: Final = 500
"""Of one customer, beside those of the reservation: the newest."""

_C, _L, _R, _Q, _W = t.call.c, t.loss.c, t.reservation.c, t.queue_visit.c, t.answer.c
# Made once: to build a statement costs several times what it costs to run it.
_SHARED = select(t.person.c.shared).where(t.person.c.id == bindparam("person"))
_LOST = select(_L.call_id, _C.started_at).join(t.call, (_C.pbx == _L.pbx) & (_C.call_id == _L.call_id))
_LOST = _LOST.where(_L.reservation_id == bindparam("reservation"))
_OF_PERSON = select(_C.call_id).where(_C.pbx == bindparam("of_pbx"), _C.person_id == bindparam("person"))
_NEWEST = _OF_PERSON.order_by(_C.started_at.desc()).limit(CALLS_AT_MOST)
_BETWEEN = _NEWEST.where(_C.started_at.between(bindparam("since_at"), bindparam("until_at")))
_BETWEEN_IN = _BETWEEN.where(_C.queue.in_(bindparam("queues", expanding=True)))
_LAST_BEFORE = _OF_PERSON.add_columns(_C.started_at).where(_C.started_at <= bindparam("made_at"))
_LAST_BEFORE = _LAST_BEFORE.order_by(_C.started_at.desc()).limit(1)
_TALKED = select(_Q.call_id).where(_Q.pbx == _C.pbx, _Q.call_id == _C.call_id, _Q.connected_at.is_not(None)).exists()
_EARLIER = select(func.count(), func.count().filter(_TALKED)).where(
    _C.pbx == bindparam("of_pbx"), _C.person_id == bindparam("person"), _C.started_at < bindparam("since_at")
)
_EARLIER_IN = _EARLIER.where(_C.queue.in_(bindparam("queues", expanding=True)))
_SCORE = (
    select(_W.score)
    .where(_W.person_id == bindparam("person"), _W.score.is_not(None))
    .order_by(_W.received_at.desc())
    .limit(1)
)
_THEIR = select(_R.id).where(_R.pbx == bindparam("of_pbx"), _R.person_id == bindparam("person"))


@dataclass(frozen=True, slots=True)
class Before:
    """What is known of the customer from before this reservation; of a shared number, nothing is."""

    calls: int
    talks: int
    score: int | None  # how the customer judged a callback last


@dataclass(frozen=True, slots=True)
class Erased:
    """The customer was erased: nobody's number any more."""

    at: int
    who: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """A reservation with all that happened; `next` is None once nothing more is owed."""

    reservation: Reservation
    entries: tuple[Entry, ...]
    rules_version: int  # under which the newest verdict, promise or attempt was made
    before: Before | None
    erased: Erased | None
    next: NextStep | None


def of_reservation(
    work: Work, number: int, groups: Collection[str] | None = None, queue: Queue | None = None
) -> Timeline | None:
    """Tell all about a reservation of these groups of queues; None where there is none, or it is another group's.

    `queue` is the queue of this moment, where that has been read.
    """
    wanted = RESERVATIONS.where(_R.id == number, _R.pbx == work.pbx)
    wanted = wanted if groups is None else wanted.where(_R.queue_group.in_(list(groups)))
    row = next(iter(read(work.connection, wanted)), None)
    if row is None:
        return None
    queues = None if groups is None else _queues(work, row, groups)
    alone = bool(work.connection.execute(_SHARED, {"person": row.person_id}).scalar_one())
    since_at, calls = _calls(work, row, queues, alone=alone)
    until_at = work.now if row.open else row.state_since_at
    scope = Scope(calls, (row.id,), None, frozenset({row.queue_group}), row.made_at, until_at)
    entries = in_order(rows.entries(work.connection, work.site, scope))
    versions = [version for entry in entries if (version := getattr(entry, "rules_version", None)) is not None]
    return Timeline(
        reservation=row,
        entries=entries,
        rules_version=max(versions, default=work.site.version),
        before=None if alone else _before(work, row.person_id, since_at, queues),
        erased=_erased(work.connection, row),
        next=next_step(work, row, queue or Queue(work)) if row.open else None,
    )


def of_person(work: Work, person: int, groups: Collection[str] | None = None) -> tuple[Entry, ...]:
    """Tell all that happened to a customer in these groups of queues, the oldest first.

    Who may see some groups alone is told of their calls and reservations, and of nothing else about the customer.
    """
    asked: dict[str, Any] = {"of_pbx": work.pbx, "person": person}
    if groups is None:
        calls = work.connection.execute(_NEWEST, asked).scalars().all()
        theirs = work.connection.execute(_THEIR, asked).scalars().all()
        return in_order(rows.entries(work.connection, work.site, Scope(tuple(calls), tuple(theirs), person)))
    theirs_alone = _THEIR.where(_R.queue_group.in_(sorted(groups)))
    theirs = work.connection.execute(theirs_alone, asked).scalars().all()
    queues = [name for name, its in work.site.rules.queues.items() if its.group in groups]
    calls = work.connection.execute(_NEWEST.where(_C.queue.in_(queues)), asked).scalars().all()
    scope = Scope(tuple(calls), tuple(theirs), None)
    return in_order(rows.entries(work.connection, work.site, scope))


def _queues(work: Work, row: Reservation, groups: Collection[str]) -> list[str]:
    """The queues of whose calls the viewer may know."""
    named = {name for name, rules in work.site.rules.queues.items() if rules.group in groups}
    return sorted(named | {row.queue})


def _calls(work: Work, row: Reservation, queues: list[str] | None, *, alone: bool) -> tuple[int, tuple[str, ...]]:
    """When the first lost call began, and the calls: those lost, and the customer's others until the end.

    On a shared number others are somebody else's. Where a verdict took its loss away, the reservation's call is the
    last one before it was made.
    """
    lost = work.connection.execute(_LOST, {"reservation": row.id}).all()
    asked: dict[str, Any] = {"of_pbx": work.pbx, "person": row.person_id}
    if not lost and not alone:
        lost = work.connection.execute(_LAST_BEFORE, asked | {"made_at": row.made_at}).all()
    since_at = min((one.started_at for one in lost), default=row.made_at)
    found = dict.fromkeys(one.call_id for one in lost)
    if not alone:
        asked |= {"since_at": since_at, "until_at": work.now if row.open else row.state_since_at}
        others = _BETWEEN if queues is None else _BETWEEN_IN
        asked |= {} if queues is None else {"queues": queues}
        found |= dict.fromkeys(work.connection.execute(others, asked).scalars())
    return since_at, tuple(found)


def _before(work: Work, person: int, since_at: int, queues: list[str] | None) -> Before:
    asked: dict[str, Any] = {"of_pbx": work.pbx, "person": person, "since_at": since_at}
    earlier = _EARLIER if queues is None else _EARLIER_IN
    calls, talks = work.connection.execute(earlier, asked | ({} if queues is None else {"queues": queues})).one()
    return Before(calls, talks, work.connection.execute(_SCORE, {"person": person}).scalar())


def _erased(connection: Connection, row: Reservation) -> Erased | None:
    if not row.e164.startswith(ERASED):
        return None
    decision = audit.erasure(connection, row.person_id)
    return Erased(0, "") if decision is None else Erased(decision.at, decision.who)
