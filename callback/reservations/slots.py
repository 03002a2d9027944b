"""The times that a customer may choose to be called at.

What may be chosen is the same by the page, by text and by a person's command: `chosen`. The page shows the next half
hours of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Final

from sqlalchemy import select

from callback.errors import CallbackError
from callback.reservations.reservation import Reservation
from callback.site.context import Site
from callback.site.work import Work
from callback.store import tables as t
from scheduler.clock import DAY, MINUTE, SECOND, first, local, shown
from scheduler.errors import SchedulerError
from scheduler.hours import Hours
from scheduler.promise import SLOT_AIM_S, Promise, slot

HALF_HOUR: Final = 30 * MINUTE
NOTICE: Final = 10 * MINUTE  # nobody is shown a time that has come before the customer has chosen it
AHEAD: Final = 14 * DAY  # over weekends and feast days; a site that opens later shows none
SHOWN: Final = 16
FARTHEST: Final = 366 * DAY
QUARTER: Final = timedelta(minutes=15)
_HALF_AN_HOUR: Final = timedelta(minutes=30)
_LONGEST_BACK: Final = timedelta(hours=50)  # no clock is put back by as much as two days

_r = t.reservation.c


class NotFree(CallbackError):
    """This time cannot be chosen, though phones may ring then; the sentence says why, and what helps."""


class TooFar(NotFree):
    """More than a year away."""


def free(work: Work, row: Reservation, e164: str, step: timedelta = _HALF_AN_HOUR) -> list[int]:
    """The next half hours that the customer may choose, the soonest first: at most `SHOWN`, within `AHEAD`.

    `step`: how far they lie apart, a part of an hour.
    """
    taken = _taken(work, row, work.now, work.now + AHEAD)
    possible = _ringing(work.site, work.site.hours_of(e164, row.trunk), work.now, step)
    return list(islice((at for at in possible if _has_room(work.site, at, taken)), SHOWN))


def first_that_rings(site: Site, row: Reservation, e164: str, times: list[int], now: int) -> int | None:
    """The first of these times that is to come and at which the customer's phone may ring."""
    hours = site.hours_of(e164, row.trunk)
    return next((at for at in times if _rings(at, now, hours)), None)


def has_room(work: Work, row: Reservation, at: int) -> bool:
    """Whether not too many others wish to be called in that half hour."""
    return _has_room(work.site, at, _taken(work, row, at, at))


def chosen(work: Work, row: Reservation, e164: str, at: int) -> Promise:
    """Promise a callback at a time that the customer chose, by whatever way.

    SchedulerError where nobody may be rung then, NotFree where too many others have chosen that half hour.
    """
    if at > work.now + FARTHEST:
        raise TooFar("that is more than a year away: choose an earlier time")
    pledge = slot(at, work.now, work.site.hours_of(e164, row.trunk))
    if not has_room(work, row, at):
        since = shown(_half_hour_of(at, work.site), work.now, work.site.hours.zone)
        raise NotFree(
            f"the half hour from {since} is full: {work.site.rules.slot_room} of queue {row.queue} have chosen it;"
            " choose another one, or raise [rules] slot_room"
        )
    return pledge


def _ringing(site: Site, hours: Hours, now: int, step: timedelta) -> Iterator[int]:
    """The times, so far apart, at which the customer's phone may ring; closed days are passed over at once."""
    earliest, until = now + NOTICE, now + AHEAD
    while (opens_at := _opening(hours, earliest, until)) is not None:
        at = _next_step(site, opens_at, step)
        if at > until:
            return
        if _rings(at, now, hours):
            yield at
        earliest = at + 1


def _opening(hours: Hours, since: int, until: int) -> int | None:
    """When phones may ring next, if that is by then."""
    try:
        at = hours.next_opening(since)
    except SchedulerError:  # by the rules of today never
        return None
    return at if at <= until else None


def _rings(at: int, now: int, hours: Hours) -> bool:
    try:
        slot(at, now, hours)
    except SchedulerError:
        return False
    return True


def _next_step(site: Site, since: int, step: timedelta) -> int:
    """The first on the site's clock from then on; where the clock is put back, it counts when it is first shown."""
    zone = site.hours.zone
    wall = local(since, zone).replace(tzinfo=None, minute=0, second=0, microsecond=0)
    steps = _LONGEST_BACK // step
    return next(at for n in range(steps) if (at := first(wall + n * step, zone)) >= since)


def _half_hour_of(at: int, site: Site) -> int:
    """The beginning of the half hour on the site's clock in which a time lies."""
    then = local(at, site.hours.zone)
    return at - ((then.minute % 30) * 60 + then.second) * SECOND - then.microsecond


def _taken(work: Work, row: Reservation, since: int, until: int) -> list[int]:
    """The times that others of the same queue have chosen, about these; read by the index of aims."""
    aims = _r.aim_at.between(since - HALF_HOUR, until + HALF_HOUR + SLOT_AIM_S * SECOND)
    others = select(_r.slot_at).where(t.OPEN, _r.pbx == work.pbx, _r.state == "waiting", aims)
    others = others.where(_r.queue == row.queue, _r.slot_at.is_not(None), _r.id != row.id)
    return list(work.connection.execute(others).scalars())


def _has_room(site: Site, at: int, taken: list[int]) -> bool:
    begins_at = _half_hour_of(at, site)
    return sum(begins_at <= other < begins_at + HALF_HOUR for other in taken) < site.rules.slot_room
