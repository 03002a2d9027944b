"""The half hours that a customer may choose to be called at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from callback.shift import Shift
from callback.store import tables as t
from scheduler.clock import MINUTE, SECOND, first, local
from scheduler.errors import SchedulerError
from scheduler.hours import Hours
from scheduler.promise import SLOT_AIM_S, slot

HALF_HOUR: Final = 30 * MINUTE
NOTICE: Final = 10 * MINUTE  # nobody chooses a time that has come before he has chosen it
AHEAD: Final = 96  # half hours that are looked through: two days
SHOWN: Final = 16

_r = t.reservation.c


def free(connection: Connection, shift: Shift, row: Row[Any], e164: str, now: int) -> list[int]:
    """The next half hours at which he may be called and not too many others wish to be, the soonest first."""
    hours = shift.hours_of(e164, row.trunk)
    possible = [at for at in _half_hours(shift, now + NOTICE) if _rings(at, now, hours)][:SHOWN]
    taken = _taken(connection, shift, row, possible[0], possible[-1]) if possible else []
    return [at for at in possible if _has_room(shift, at, taken)]


def first_that_rings(shift: Shift, row: Row[Any], e164: str, times: list[int], now: int) -> int | None:
    """The first of these times that is to come and at which his phone may ring."""
    hours = shift.hours_of(e164, row.trunk)
    return next((at for at in times if _rings(at, now, hours)), None)


def has_room(connection: Connection, shift: Shift, row: Row[Any], at: int) -> bool:
    """Whether not too many others wish to be called then."""
    return _has_room(shift, at, _taken(connection, shift, row, at, at))


def _rings(at: int, now: int, hours: Hours) -> bool:
    try:
        slot(at, now, hours)
    except SchedulerError:
        return False
    return True


def _half_hours(shift: Shift, now: int) -> list[int]:
    """The next ones on the site's clock."""
    zone = shift.hours.zone
    wall = local(now, zone).replace(tzinfo=None, minute=0, second=0, microsecond=0)
    walls = (wall + timedelta(minutes=30 * number) for number in range(AHEAD))
    return [at for at in dict.fromkeys(first(wall, zone) for wall in walls) if at >= now]


def _taken(connection: Connection, shift: Shift, row: Row[Any], since: int, until: int) -> list[int]:
    """The times that others of his queue have chosen, within half an hour of these; read by the index of aims."""
    aims = _r.aim_at.between(since - HALF_HOUR, until + HALF_HOUR + SLOT_AIM_S * SECOND)
    others = select(_r.slot_at).where(t.OPEN, _r.pbx == shift.pbx, _r.state == "waiting", aims)
    others = others.where(_r.queue == row.queue, _r.slot_at.is_not(None), _r.id != row.id)
    return list(connection.execute(others).scalars())


def _has_room(shift: Shift, at: int, taken: list[int]) -> bool:
    return sum(at <= other < at + HALF_HOUR for other in taken) < shift.rules.slot_room
