"""Incidents as people see them: the newest, what each still holds, and what letting go of it would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from sqlalchemy import Select, and_, func, select

from callback.accounts.roles import Groups
from callback.attempts import forecast, snapshot
from callback.losses.incidents import of_groups, parts_of
from callback.reports import breaking
from callback.reservations.reservation import RESERVATIONS, Reservation, read
from callback.site.work import Work
from callback.store import tables as t
from callback.texts import compose
from scheduler import incident as rule
from scheduler import promise_forecast
from scheduler.clock import HOUR, SECOND
from scheduler.promise_forecast import Due

_I, _R, _L = t.incident.c, t.reservation.c, t.loss.c
_HELD = (t.IN_INCIDENT, _R.state == "held")
_MANY_HELD = (
    select(func.count()).select_from(t.reservation).where(_R.incident_id == _I.id, *_HELD).correlate(t.incident)
)
_COLUMNS = select(
    *(_I.id, _I.cause, _I.state, _I.opened_at, _I.last_lost_at, _I.losses, _I.let_go, _I.let_go_at, _I.ended_at),
    _MANY_HELD.scalar_subquery(),
)
_HELD_ROWS = RESERVATIONS.where(and_(*_HELD)).order_by(_R.deadline_at, _R.id)


PAST: Final = 20
"""Incidents that are over, of which people are shown so many."""
LOOKED_AT: Final = 500
"""Of those held, so many are looked at one by one to say how many texts would leave."""


@dataclass(frozen=True)
class Incident:
    """One incident, open or over; `held` is how many reservations it still holds."""

    incident: int
    cause: str
    state: str
    opened_at: int
    last_lost_at: int
    losses: int
    let_go: int
    let_go_at: int | None
    ended_at: int | None
    held: int

    @cached_property
    def parts(self) -> tuple[str, str, str]:
        """The queue, the reason (or the kind of loss) and the trunk that its losses have in common."""
        return parts_of(self.cause)

    @property
    def open(self) -> bool:
        """Whether it holds somebody still, or may."""
        return self.ended_at is None


@dataclass(frozen=True, slots=True)
class Effect:
    """What letting go of all now would do: how many are called and texted, and when the last of them is called.

    `ends_at` is when the last is let go. `late` are called after their promise; `last_at` is None where nobody is there
    to call. `texts` is exact up to `LOOKED_AT` of them.
    """

    calls: int
    texts: int
    ends_at: int
    last_at: int | None
    late: int


def incidents(work: Work, limit: int) -> list[Incident]:
    """The newest incidents of a PBX, open or over."""
    return _read(work, _newest(work, None).limit(limit))


def still_open(work: Work, groups: Groups = None) -> list[Incident]:
    """The open incidents of these groups of queues, the newest first."""
    return _read(work, _newest(work, groups).where(t.INCIDENT_OPEN))


def over(work: Work, groups: Groups = None) -> list[Incident]:
    """The incidents of these groups that were over last."""
    return _read(work, _newest(work, groups).where(_I.open.is_(False)).limit(PAST))


def one(work: Work, incident: int, groups: Groups = None) -> Incident | None:
    """One incident of these groups, open or over."""
    return next(iter(_read(work, _newest(work, groups).where(_I.id == incident))), None)


def ends(work: Work, incident: Incident) -> Mapping[str, int]:
    """How the callbacks of those whom it held stand by now: how many are in each state."""
    since = incident.opened_at - work.site.rules.incident_terms().window_s * SECOND
    lost = (_L.pbx == work.pbx, _L.cause == incident.cause, _L.lost_at > since, _L.lost_at <= incident.last_lost_at)
    theirs = select(_L.reservation_id).where(*lost, _L.incident_id == incident.incident).distinct()
    counted = select(_R.state, func.count().label("many")).where(_R.id.in_(theirs)).group_by(_R.state)
    return {row.state: row.many for row in work.connection.execute(counted)}


def effect(work: Work, incident: Incident, from_at: int | None = None) -> Effect:
    """Say what letting go of all whom it holds would do, from then on or from now on; nothing is changed."""
    held = read(work.connection, _HELD_ROWS.where(_R.incident_id == incident.incident))
    rate = work.site.rules.incident_drain_per_min
    turns = dict(zip((row.id for row in held), rule.turns(_deadlines(held), from_at or work.now, rate), strict=True))
    begun = _begun(work, incident, held, turns)
    late = sum(begun.get(row.id, row.deadline_at + 1) > row.deadline_at for row in held)
    last_at = max(begun.values(), default=None) if len(begun) == len(held) else None
    return Effect(len(held), _texts(work, held, turns), max(turns.values(), default=work.now), last_at, late)


def _deadlines(rows: list[Reservation]) -> list[int]:
    return [row.deadline_at for row in rows]


def _begun(work: Work, incident: Incident, held: list[Reservation], turns: Mapping[int, int]) -> dict[int, int]:
    """When each of them is called, beside all else that is owed in the group, with the agents who are there now.

    Who is let go after the deadline is given a new time, and called by then.
    """
    group = work.site.rules.queue(incident.parts[0]).group
    picture = snapshot.recall(work.connection, work.pbx)
    crew = breaking.crews_of(work, picture).get(group, forecast.nobody(work.site))
    others = breaking.look(work, picture, {group}).get(group) or breaking.nothing(work, crew)
    dues = [_due(row, turns[row.id]) for row in held]
    plan = promise_forecast.schedule([*others.dues, *dues], crew, 0, work.now)
    return {due.reservation: at for due, at in plan.begun if due.reservation in turns}


def _due(row: Reservation, turn: int) -> Due:
    in_time = row.deadline_at > turn
    aim_at, deadline_at = (row.aim_at, row.deadline_at) if in_time else (turn + HOUR, turn + HOUR)
    return Due(turn, deadline_at, row.id, aim_at=aim_at, severity=row.severity)


def _texts(work: Work, held: list[Reservation], turns: Mapping[int, int]) -> int:
    """How many of them are told then that we call: in time, who was not told before, and who takes texts."""
    looked_at = held[:LOOKED_AT]
    told = sum(
        row.deadline_at > turns[row.id]
        and compose.why_none(work.connection, work.site, row.queue, row.e164) is None
        and not compose.promised(work.connection, row.id)
        for row in looked_at
    )
    return told + len(held) - len(looked_at)


def _newest(work: Work, groups: Groups) -> Select[Any]:
    return _COLUMNS.where(_I.pbx == work.pbx, *of_groups(work.site, groups)).order_by(_I.id.desc())


def _read(work: Work, wanted: Select[Any]) -> list[Incident]:
    return [Incident(*row) for row in work.connection.execute(wanted)]


def breaks(work: Work, incident: int) -> int:
    """How many of those it holds will be let go only after their deadline, if letting go began now at the set rate."""
    deadlines = select(_R.deadline_at).where(_R.incident_id == incident, *_HELD).order_by(_R.deadline_at)
    rate = work.site.rules.incident_drain_per_min
    return rule.late(work.connection.execute(deadlines).scalars().all(), work.now, rate)


def held_by_queue(work: Work) -> dict[str, int]:
    """How many reservations incidents hold now, by queue."""
    held = select(_R.queue, func.count().label("held")).where(*_HELD, _R.pbx == work.pbx).group_by(_R.queue)
    return {row.queue: row.held for row in work.connection.execute(held)}
