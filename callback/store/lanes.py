"""The lanes: what might be dialled now, each an index scan of at most fifty rows; the pure rule picks among them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, or_, select

from callback.store import tables as t
from scheduler.promise import CARRIED_OVER

LANE = 50
ON_THE_LINE = 2000  # numbers that a query may be told to leave out; beyond that, the rule leaves them out
Flight = Row[Any]  # an attempt, with the queue, state and number of its reservation
_r = t.reservation.c


def _open(pbx: str) -> Select[Any]:
    columns = select(t.reservation, t.person.c.number.label("e164")).join(t.person)
    return columns.where(t.OPEN, _r.pbx == pbx, _r.state == "waiting")


def due(
    connection: Connection, pbx: str, now: int, queues: Mapping[str, Sequence[str]], on_the_line: Collection[str] = ()
) -> list[Row[Any]]:
    """Reservations that are due: the severe, oldest inside their aim, newest inside their deadline, those past it.

    `queues` are those that somebody may be called for, each with the only numbers that may be (none: all may);
    `on_the_line` are numbers that may not. The others stay out, since fifty of them would fill a lane.
    """
    whom = [
        and_(_r.queue == queue, t.person.c.number.in_(numbers)) if numbers else _r.queue == queue
        for queue, numbers in queues.items()
    ]
    if not whom:
        return []
    ready = _open(pbx).where(_r.due_at <= now, or_(*whom))
    if on_the_line:
        ready = ready.where(t.person.c.number.not_in(list(on_the_line)[:ON_THE_LINE]))
    lanes = (
        ready.where(t.SEVERE).order_by(_r.severity.desc()),
        ready.where(_r.aim_at > now).order_by(_r.aim_at),
        ready.where(_r.deadline_at > now).order_by(_r.made_at.desc()),
        ready.where(_r.deadline_at <= now).order_by(_r.aim_at),
    )
    found: dict[int, Row[Any]] = {}
    for lane in lanes:
        found |= {row.id: row for row in connection.execute(lane.limit(LANE))}
    return list(found.values())


def lock(connection: Connection, reservation: int, now: int) -> bool:
    """Lock a reservation that is still due; False, without waiting, where somebody else has it.

    Somebody may have held or postponed it since it was looked at.
    """
    due_still = (_r.state == "waiting", _r.due_at <= now, _r.clock_starts_at <= now)
    his = select(_r.id).where(_r.id == reservation, *due_still).with_for_update(skip_locked=True)
    return connection.execute(his).first() is not None


def overdue(connection: Connection, pbx: str, now: int) -> list[Row[Any]]:
    """Open reservations whose promise has passed, the oldest first and locked; `carried`: an evening has passed too."""
    p = t.promise.c
    second = select(p.number).where(p.reservation_id == _r.id, p.number > 1, p.reason == CARRIED_OVER)
    late = _open(pbx).add_columns(second.exists().label("carried")).where(_r.deadline_at <= now)
    return list(connection.execute(late.order_by(_r.aim_at).limit(LANE).with_for_update(of=t.reservation)))


def everything_open(connection: Connection, pbx: str, limit: int) -> list[Row[Any]]:
    """Open reservations for people to look at, those with the nearest deadline first."""
    columns = select(t.reservation, t.person.c.number.label("e164")).join(t.person)
    wanted = columns.where(t.OPEN, _r.pbx == pbx).order_by(_r.deadline_at, _r.id)
    return list(connection.execute(wanted.limit(limit)))


def in_flight(connection: Connection, pbx: str | None = None) -> list[Flight]:
    """Attempts that have not ended, on this PBX or on any, with the queue they are for."""
    a = t.attempt
    columns = select(a, _r.queue, _r.state, t.person.c.number.label("e164"))
    wanted = columns.join(t.reservation, t.reservation.c.id == a.c.reservation_id).join(
        t.person, t.person.c.id == a.c.person_id
    )
    here = wanted if pbx is None else wanted.where(a.c.pbx == pbx)
    return list(connection.execute(here.where(t.IN_FLIGHT)))
