"""Alarms before promises break: each raised once, told again when it changes much, and told when it is over."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Final

from sqlalchemy import bindparam, delete, insert, select, update

from callback.events import PromisesInDanger, PromisesOutOfDanger
from callback.site.context import Site
from callback.site.work import Work
from callback.store import tables as t
from scheduler import promise_forecast
from scheduler.clock import HOUR, MINUTE
from scheduler.policy import QueueLoad
from scheduler.promise_forecast import Crew, Due, PromiseForecast

AHEAD: Final = 2 * HOUR  # nobody knows who works later
MOST: Final = 2000  # reservations that are looked at: where more are open, the alarm has long been raised
OVER_AFTER: Final = 2 * MINUTE  # without cause: one agent more or less for a moment tells nobody anything
USUAL_S: Final = 240.0
"""What a callback takes where too few calls were seen to tell."""

_R, _A = t.reservation.c, t.alarm.c
# Made once: asked again and again.
_AHEAD = (
    select(
        *(_R.id, t.person.c.number, _R.queue, _R.queue_group, _R.not_before_at, _R.aim_at, _R.deadline_at, _R.severity)
    )
    .join(t.person)
    .where(t.OPEN, _R.pbx == bindparam("of_pbx"), _R.state == "waiting", _R.aim_at <= bindparam("until"), t.LOST_ONLY)
    .where(_R.deadline_at > bindparam("after"), _R.deadline_at <= bindparam("until"))
    .order_by(_R.aim_at, _R.id)  # the same ones are said to break each time
    .limit(MOST)
)
_AHEAD_OF_GROUPS = _AHEAD.where(_R.queue_group.in_(bindparam("of_groups", expanding=True)))
_ALARMS = select(_A.queue_group, _A.raised_at, _A.seen_at, _A.told).where(_A.pbx == bindparam("of_pbx"))

Phones = Mapping[str, Collection[str]]
"""Of those who are at work, by queue."""


@dataclass(frozen=True, slots=True)
class OwedCallback:
    """A callback that is owed and may be made: to which number, from which queue, and from when until when.

    Not before a pause of its queue ends. Its lane goes by `aim_at`, and within that by `severity`.
    """

    reservation: int
    number: str
    queue: str
    queue_group: str
    not_before_at: int
    aim_at: int
    deadline_at: int
    severity: int


@dataclass(frozen=True, slots=True)
class _Alarm:
    """An alarm that stands for a group of queues; `seen_at`, when there was last cause for it."""

    raised_at: int
    seen_at: int
    told: PromiseForecast


def crews(at_work: Phones, loads: Mapping[str, QueueLoad], site: Site) -> dict[str, Crew]:
    """Who can make callbacks, by group of queues: an agent in three queues of a group is one agent.

    Beside live callers, where the load is known; else all who are at work.
    """
    groups: dict[str, list[str]] = {}
    for queue in at_work:
        groups.setdefault(site.rules.queue(queue).group, []).append(queue)
    return {group: _crew(at_work, queues, loads, site) for group, queues in groups.items()}


def _crew(at_work: Phones, queues: list[str], loads: Mapping[str, QueueLoad], site: Site) -> Crew:
    there = {phone for queue in queues for phone in at_work[queue]}
    known = {load.pool or queue: load for queue in queues if (load := loads.get(queue))}.values()
    handle_s = max((load.handle_s for load in known), default=USUAL_S) + site.rules.ring_s
    return Crew(len(there) - sum(load.calls_s * load.handle_s for load in known), handle_s)


def owed(work: Work, groups: Collection[str] | None = None) -> list[OwedCallback]:
    """Read the callbacks that are owed now, in these groups or all, as far ahead as anything can be said of them.

    There are none while nobody may be called: the agents who work later are not there yet.
    """
    if not work.site.hours.may_ring(work.now):
        return []
    asked = {"of_pbx": work.pbx, "after": work.now, "until": work.now + AHEAD}
    if groups is None:
        rows = work.connection.execute(_AHEAD, asked)
    else:
        rows = work.connection.execute(_AHEAD_OF_GROUPS, {**asked, "of_groups": sorted(groups)})
    site = work.site
    ahead = [OwedCallback(*row) for row in rows]
    return [
        replace(one, not_before_at=site.free_at("call", one.queue, one.not_before_at))
        for one in ahead
        if site.may_call(one.queue, one.number)
    ]


def dues(callbacks: Iterable[OwedCallback]) -> dict[str, list[Due]]:
    """Sort what is owed by group of queues."""
    found: dict[str, list[Due]] = {}
    for one in callbacks:
        due = Due(one.not_before_at, one.deadline_at, one.reservation, aim_at=one.aim_at, severity=one.severity)
        found.setdefault(one.queue_group, []).append(due)
    return found


def forecasts(work: Work, crews: Mapping[str, Crew]) -> dict[str, PromiseForecast]:
    """How it will go in each group of queues with what is owed now; a group without an agent has a crew of nobody."""
    groups = dues(owed(work))
    return {
        group: promise_forecast.forecast(due, crews.get(group, nobody(work.site)), work.now)
        for group, due in groups.items()
    }


def nobody(site: Site) -> Crew:
    """The crew of a group in which nobody works."""
    return Crew(0, USUAL_S + site.rules.ring_s)


def tell(work: Work, seen: Mapping[str, PromiseForecast]) -> None:
    """Raise what is new, tell what has changed much, and end what has had no cause for a while."""
    standing = {
        group: _Alarm(raised_at, seen_at, PromiseForecast(**told))
        for group, raised_at, seen_at, told in work.connection.execute(_ALARMS, {"of_pbx": work.pbx})
    }
    for group, one in seen.items():
        if one.missed > 0:
            _raised(work, group, one, standing.pop(group, None))
    for group, alarm in standing.items():
        if work.now - alarm.seen_at >= OVER_AFTER:
            work.connection.execute(delete(t.alarm).where(_A.pbx == work.pbx, _A.queue_group == group))
            work.tell(PromisesOutOfDanger(group, alarm.raised_at))


def _raised(work: Work, group: str, seen: PromiseForecast, standing: _Alarm | None) -> None:
    if standing is None:
        row = {"pbx": work.pbx, "queue_group": group, "raised_at": work.now, "seen_at": work.now, "told": asdict(seen)}
        work.connection.execute(insert(t.alarm).values(**row))
        work.tell(PromisesInDanger(group, **asdict(seen), again=False))
        return
    changed = promise_forecast.changed(standing.told, seen)
    values = {"seen_at": work.now} | ({"told": asdict(seen)} if changed else {})
    work.connection.execute(update(t.alarm).where(_A.pbx == work.pbx, _A.queue_group == group).values(**values))
    if changed:
        work.tell(PromisesInDanger(group, **asdict(seen), again=True))
