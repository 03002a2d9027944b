"""Incidents as people see them: the newest, what each still holds, and what letting go of it would cost."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from callback.site.work import Work
from callback.store import tables as t
from scheduler import incident as rule

_I, _R = t.incident.c, t.reservation.c
_HELD = (t.IN_INCIDENT, _R.state == "held")


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident, open or over; `held` is how many reservations it still holds."""

    incident: int
    cause: str
    state: str
    opened_at: int
    last_lost_at: int
    losses: int
    let_go: int
    held: int


def incidents(work: Work, limit: int) -> list[Incident]:
    """The newest incidents of a PBX, open or over."""
    held = select(func.count()).select_from(t.reservation).where(_R.incident_id == _I.id, *_HELD)
    columns = select(
        _I.id,
        _I.cause,
        _I.state,
        _I.opened_at,
        _I.last_lost_at,
        _I.losses,
        _I.let_go,
        held.correlate(t.incident).scalar_subquery(),
    )
    newest = columns.where(_I.pbx == work.pbx).order_by(_I.id.desc()).limit(limit)
    return [Incident(*row) for row in work.connection.execute(newest)]


def breaks(work: Work, incident: int) -> int:
    """How many of those it holds will be let go only after their deadline, if letting go began now at the set rate."""
    deadlines = select(_R.deadline_at).where(_R.incident_id == incident, *_HELD).order_by(_R.deadline_at)
    rate = work.site.rules.incident_drain_per_min
    return rule.late(work.connection.execute(deadlines).scalars().all(), work.now, rate)


def held_by_queue(work: Work) -> dict[str, int]:
    """How many reservations incidents hold now, by queue."""
    held = select(_R.queue, func.count().label("held")).where(*_HELD, _R.pbx == work.pbx).group_by(_R.queue)
    return {row.queue: row.held for row in work.connection.execute(held)}
