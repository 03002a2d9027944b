"""What a shift leaves to the next: what is owed, held or assigned, what was done, and how promises were kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, func, or_, select

from callback.accounts.roles import Groups
from callback.reports import incidents
from callback.reports.incidents import Incident
from callback.reports.queue.board import Queue
from callback.reports.queue.wanted import Wanted
from callback.reports.rates import Rates
from callback.reports.rates_by_group import rates_by_group, together
from callback.site.work import Work
from callback.store import audit
from callback.store import tables as t
from scheduler.clock import HOUR, begins, local

HELD: Final = 50
LATEST: Final = 20
"""Handovers that are looked through for the last one of the same groups."""
LONGEST: Final = 16 * HOUR
"""A shift lasts no longer: a handover that lies further back began another one."""

_A, _R, _H, _N = t.audit.c, t.reservation.c, t.handover.c, t.happened.c


@dataclass(frozen=True, slots=True)
class Held:
    """A reservation that somebody, or an incident, holds."""

    reservation: int
    queue: str
    deadline_at: int
    by: str | None
    why: str | None
    incident: int | None


@dataclass(frozen=True, slots=True)
class Alarm:
    """A group whose promises were in danger: `missed` of `due`; over at `over_at`, or not yet."""

    group: str
    at: int
    due: int
    missed: int
    over_at: int | None


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift as it stands at `at`; `first`: nothing was handed over to it.

    `owed` are open reservations by lane, `whose` assigned ones by person, `acts` what each person did by action.
    """

    since_at: int
    at: int
    first: bool
    owed: Mapping[str, int]
    held: tuple[Held, ...]
    whose: Mapping[str, int]
    acts: Mapping[str, Mapping[str, int]]
    alarms: tuple[Alarm, ...]
    incidents: tuple[Incident, ...]
    rates: Rates

    def as_json(self) -> dict[str, Any]:
        """Plain values, as they are kept; no number is among them."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Kept:
    """A handover that was made. `notes` are who, when and what; `taken_by` is None while nobody took it."""

    id: int
    since_at: int
    until_at: int
    given_by: str
    taken_by: str | None
    taken_at: int | None
    notes: tuple[Mapping[str, Any], ...]
    shift: Mapping[str, Any]


def shift(work: Work, groups: Groups) -> Shift:
    """Look at the shift of these groups: from its handover until now."""
    last = next(iter(kept(work, groups, 1)), None)
    began_at = last.until_at if last is not None and work.now - last.until_at < LONGEST else None
    zone = work.site.hours.zone
    since_at = began_at if began_at is not None else begins(local(work.now, zone).date(), zone)
    queue, wanted = Queue(work), Wanted(groups=groups)
    by_lane = queue.counts(wanted).by_lane
    return Shift(
        since_at,
        work.now,
        began_at is None,
        {lane: many for lane, many in by_lane.items() if many},
        _held(queue, wanted),
        _whose(work, groups),
        _acts(work, groups, since_at),
        _alarms(work, groups, since_at),
        tuple(one for one in incidents.incidents(work, LATEST) if one.state != "over") if groups is None else (),
        together(one for group, one in rates_by_group(work, since_at).items() if groups is None or group in groups),
    )


def kept(work: Work, groups: Groups, most: int) -> list[Kept]:
    """The last handovers of exactly these groups, the newest first."""
    newest = select(t.handover).where(_H.pbx == work.pbx).order_by(_H.until_at.desc(), _H.id.desc()).limit(LATEST)
    return [_kept(row) for row in work.connection.execute(newest).mappings() if _same(row, groups)][:most]


def one(work: Work, handover: int, groups: Groups) -> Kept | None:
    """One handover of exactly these groups; None where there is none."""
    row = work.connection.execute(select(t.handover).where(_H.id == handover, _H.pbx == work.pbx)).mappings().first()
    return _kept(row) if row is not None and _same(row, groups) else None


def _same(row: RowMapping, groups: Groups) -> bool:
    theirs = row["groups"]
    return (None if theirs is None else frozenset(theirs)) == groups


def _kept(row: RowMapping) -> Kept:
    told = {name: row[name] for name in ("id", "since_at", "until_at", "given_by", "taken_by", "taken_at")}
    return Kept(**told, notes=tuple(row["notes"]), shift=row["body"])


def _held(queue: Queue, wanted: Wanted) -> tuple[Held, ...]:
    rows = queue.page("held", wanted, HELD).rows
    return tuple(
        Held(row.reservation, row.queue, row.deadline_at, row.held_by, row.held_why, row.incident) for row in rows
    )


def _whose(work: Work, groups: Groups) -> dict[str, int]:
    named = select(_R.assigned_to, func.count()).where(
        _R.pbx == work.pbx, t.OPEN, _R.assigned_to.is_not(None), *_of(groups)
    )
    return {row[0]: row[1] for row in work.connection.execute(named.group_by(_R.assigned_to).order_by(_R.assigned_to))}


def _acts(work: Work, groups: Groups, since_at: int) -> dict[str, dict[str, int]]:
    """What people did about reservations of these groups; what customers and the service did is not theirs."""
    counted = (
        select(_A.who, _A.action, func.count())
        .join(t.reservation, _R.id == _A.reservation_id)
        .where(_A.pbx == work.pbx, _A.at >= since_at, _A.who.not_in((audit.CUSTOMER, audit.SERVICE)), *_of(groups))
    )
    found: dict[str, Counter[str]] = {}
    for who, action, many in work.connection.execute(counted.group_by(_A.who, _A.action)):
        found.setdefault(who, Counter())[action] += many
    return {who: dict(sorted(acts.items())) for who, acts in sorted(found.items())}


def _alarms(work: Work, groups: Groups, since_at: int) -> tuple[Alarm, ...]:
    rows = work.connection.execute(
        select(_N.at, _N.name, _N.facts).where(_N.pbx == work.pbx, t.ALARMS, _N.at >= since_at).order_by(_N.at, _N.id)
    ).all()
    alarms: dict[str, Alarm] = {}
    ended: list[Alarm] = []
    for row in rows:
        group = row.facts["group"]
        if groups is not None and group not in groups:
            continue
        if row.name == "alarm":
            before = alarms.get(group)
            alarms[group] = Alarm(group, before.at if before else row.at, row.facts["due"], row.facts["missed"], None)
        elif (raised := alarms.pop(group, None)) is not None:
            ended.append(Alarm(group, raised.at, raised.due, raised.missed, row.at))
    return tuple(sorted([*ended, *alarms.values()], key=lambda alarm: alarm.at))


def _of(groups: Groups) -> list[ColumnElement[bool]]:
    return [] if groups is None else [or_(*(_R.queue_group == group for group in sorted(groups)))]
