"""The page Now as one value: what the database says at one moment, and what is read less often, with its own time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, select

from callback.accounts.roles import Groups
from callback.attempts import snapshot
from callback.reports import breaking
from callback.reports.breaking import Breaking
from callback.reports.care import cases
from callback.reports.now import floor, health, lists
from callback.reports.now import help as help_
from callback.reports.now.day import Day
from callback.reports.now.figure import Figure, InCases, InList, InQueue, Lane, Promised
from callback.reports.now.floor import Floor
from callback.reports.now.health import Part
from callback.reports.now.help import Help
from callback.reports.now.since import midnight
from callback.reports.queue import census
from callback.reports.queue.census import Census
from callback.reports.queue.wanted import Wanted
from callback.reports.rates import Rates
from callback.reports.rates_by_group import rates_by_group, together
from callback.reports.standing import Owed
from callback.site.pauses import EVERY_QUEUE, Pause
from callback.site.work import Work
from callback.store import tables as t
from scheduler.clock import DAY

_R = t.reservation.c
_LAST = (
    select(_R.last_lost_at, _R.state, _R.state_since_at, _R.open)
    .where(_R.pbx == bindparam("of_pbx"), _R.made_at.between(bindparam("since"), bindparam("until")), t.LOST_ONLY)
    .order_by(_R.made_at.desc())
    .limit(1)
)
_LAST_OF_GROUPS = _LAST.where(_R.queue_group.in_(bindparam("of_groups", expanding=True)))

FIRST: Final = 3
"""Promises of a group that are named: those that break first."""
DUE_LANES: Final[tuple[Lane, ...]] = ("aim", "window", "binds", "late")
"""Who may be called now, as far as the promise goes."""


@dataclass(frozen=True, slots=True)
class Danger:
    """What breaks in a group of queues: of `due` promises in the next two hours `missed` will be.

    `more` agents until `until_at` would keep them; `hopeless` are missed whoever works. `first` are the first of all
    these, and `by_at` is when the last of them is over; None: none will be missed. `help` was asked for by somebody.
    `pauses` stop calls in some of its queues.
    """

    group: str
    due: int
    missed: Figure
    hopeless: Figure
    more: int
    until_at: int
    by_at: int | None
    first: tuple[Owed, ...]
    help: Help | None = None
    pauses: tuple[Pause, ...] = ()


@dataclass(frozen=True, slots=True)
class Dangers:
    """The groups in which anything is owed, the worst first, as read at `at`."""

    at: int
    groups: tuple[Danger, ...]

    @property
    def worst(self) -> Danger | None:
        """The group in which most will be missed; None: nothing will."""
        return next((one for one in self.groups if one.missed.count), None)

    @property
    def missed(self) -> Figure:
        """How many in all groups together."""
        ids = frozenset[int]().union(*(_ids(one.missed) for one in self.groups))
        return _named(ids)


@dataclass(frozen=True, slots=True)
class Rated:
    """The rates of what was promised since midnight, by group, as read at `at`."""

    at: int
    since_at: int
    by_group: Mapping[str, Rates]


@dataclass(frozen=True, slots=True)
class Promises:
    """How promises were kept since midnight: three rates within 30 and 60 minutes, each with what it counts."""

    at: int
    since_at: int
    rates: Rates

    def done(self, what: Promised, minutes: int) -> Figure:
        """How many were dialled, reached or closed in time."""
        return Figure(getattr(self.rates, f"{what}_{minutes}"), InList(what, minutes))

    def due(self, minutes: int) -> Figure:
        """Of how many: those whose time is over."""
        return Figure(getattr(self.rates, f"due_{minutes}"), InList("due", minutes))

    def percent(self, what: Promised, minutes: int) -> int | None:
        """The rate, rounded down, so that it is 100 only if all were; None while nothing is due."""
        due = self.due(minutes).count
        return self.done(what, minutes).count * 100 // due if due else None


@dataclass(frozen=True, slots=True)
class Open:
    """What is open, by lane; `due` may be called now, the rest waits for its time, is being called or is held.

    `all` is the sum of `calling`, `due`, `later` and `held`, always; and `due` that of `DUE_LANES`. Of `later` the time
    of so many comes `within_hour`; of `held` an incident holds so many.
    """

    all: Figure
    calling: Figure
    due: Figure
    later: Figure
    within_hour: int
    held: Figure
    in_incident: int
    by_lane: Mapping[Lane, Figure]


@dataclass(frozen=True, slots=True)
class Needs:
    """What needs a person. `by_whom` are those who took back or cancelled today, and how many each.

    Of cases, those that wait for us: overdue, or due soon; None where there are none and no queue takes any.
    """

    answers: Figure
    incidents: Figure
    incidents_hold: Figure
    left: Figure
    texts_failed: Figure
    not_lost: Figure
    cancelled: Figure
    assigned: Figure
    cases_overdue: Figure | None
    cases_soon: Figure | None
    by_whom: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Last:
    """The loss that made the last reservation, when it came to its state, and whether something is still owed."""

    lost_at: int
    state: str
    since_at: int
    open: bool


@dataclass(frozen=True, slots=True)
class Now:
    """All of the page, for a viewer of some groups or all. `day` is None until it has been read.

    `last` is known where nothing is owed soon: then it is what there is to say.
    """

    at: int
    dangers: Dangers
    promises: Promises
    open: Open
    floor: Floor
    needs: Needs
    health: tuple[Part, ...]
    day: Day | None
    last: Last | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The figures that stand above every page."""

    at: int
    binds: Figure
    late: Figure
    held: Figure
    calling: Figure
    missed: Figure
    worst: Danger | None
    floor: Floor


def rated(work: Work) -> Rated:
    """Read the rates since midnight. It takes a time that grows with the day: not for each page."""
    since_at = midnight(work.site, work.now)
    return Rated(work.now, since_at, rates_by_group(work, since_at))


def dangers(work: Work, groups: Groups) -> Dangers:
    """Forecast what breaks in these groups, or all. It takes some tens of milliseconds: not for each page."""
    seen = breaking.look(work, snapshot.recall(work.connection, work.pbx), groups)
    asked = help_.asked(work, groups)
    found = [_danger(group, one, asked.get(group), _pauses(work, group)) for group, one in seen.items()]
    in_order = sorted(found, key=lambda one: (-one.missed.count, -one.hopeless.count, -one.due, one.group))
    return Dangers(work.now, tuple(in_order))


def head(work: Work, groups: Groups, seen: Dangers, open_: Census | None = None) -> Head:
    """Read the figures above every page; `seen` may be a second or two older. `open_`: what is open, where counted."""
    counted = _open(work, groups, open_)
    there = floor.look(work, snapshot.recall(work.connection, work.pbx), groups)
    return Head(
        work.now,
        counted.by_lane["binds"],
        counted.by_lane["late"],
        counted.held,
        counted.calling,
        seen.missed,
        seen.worst,
        there,
    )


def look(work: Work, groups: Groups, seen: Dangers, kept: Rated, day: Day | None, open_: Census | None = None) -> Now:
    """Read the page; `seen`, `kept` and `day` were read before, and tell when. `open_`: what is open, where counted."""
    picture = snapshot.recall(work.connection, work.pbx)
    rates = [rates for group, rates in kept.by_group.items() if groups is None or group in groups]
    return Now(
        work.now,
        seen,
        Promises(kept.at, kept.since_at, together(rates)),
        _open(work, groups, open_),
        floor.look(work, picture, groups),
        _needs(work, groups),
        health.look(work, picture),
        day,
        _last(work, groups) if not seen.groups else None,
    )


def head_of(now: Now) -> Head:
    """Give the figures above the page Now from the same reading."""
    lanes, seen = now.open.by_lane, now.dangers
    return Head(
        now.at, lanes["binds"], lanes["late"], now.open.held, now.open.calling, seen.missed, seen.worst, now.floor
    )


def _danger(group: str, one: Breaking, asked: Help | None, pauses: tuple[Pause, ...]) -> Danger:
    missed = frozenset(owed.reservation for owed in one.missed)
    return Danger(
        group,
        one.forecast.due,
        _named(missed),
        _named(one.hopeless),
        one.forecast.more,
        one.forecast.until_at,
        max((owed.deadline_at for owed in one.missed), default=None),
        tuple(one.owed[:FIRST]),
        asked,
        pauses,
    )


def _pauses(work: Work, group: str) -> tuple[Pause, ...]:
    """What stops calls in queues of a group now."""
    rules = work.site.rules
    return tuple(
        one
        for one in work.site.pauses
        if one.what == "call" and (one.queue == EVERY_QUEUE or rules.queue(one.queue).group == group)
    )


def _named(ids: frozenset[int]) -> Figure:
    """Reservations that no filter describes are named one by one, as they were when they were counted."""
    return Figure(len(ids), InQueue(wanted=Wanted(ids=ids)) if ids else None)


def _ids(figure: Figure) -> frozenset[int]:
    return figure.rows.wanted.ids if isinstance(figure.rows, InQueue) else frozenset()


def _last(work: Work, groups: Groups) -> Last | None:
    query = _LAST if groups is None else _LAST_OF_GROUPS
    asked = {"of_pbx": work.pbx, "since": work.now - DAY, "until": work.now}
    row = work.connection.execute(query, asked if groups is None else asked | {"of_groups": sorted(groups)}).first()
    return None if row is None else Last(*row)


def _open(work: Work, groups: Groups, counted: Census | None) -> Open:
    wanted = Wanted(groups=groups)
    counts = (counted or census.take(work)).counts(wanted)

    def of(*lanes: Lane) -> Figure:
        return Figure(sum(counts.by_lane[lane] for lane in lanes), InQueue(lanes, wanted))

    return Open(
        all=Figure(counts.every, InQueue((), wanted)),
        calling=of("calling"),
        due=of(*DUE_LANES),
        later=of("later"),
        within_hour=counts.within_hour,
        held=of("held"),
        in_incident=counts.in_incident,
        by_lane={lane: of(lane) for lane in (*DUE_LANES, "calling", "later", "held")},
    )


def _needs(work: Work, groups: Groups) -> Needs:
    incidents = lists.rows(work, InList("incidents"), groups)
    ids = frozenset(one.id for one in incidents)
    overdue, soon = _cases(work, groups)
    they_hold = InQueue(("held",), Wanted(incidents=ids, groups=groups)) if ids else None
    not_lost, cancelled = (lists.rows(work, InList(name), groups) for name in ("not-lost", "cancelled"))
    return Needs(
        answers=lists.count(work, "answers", groups),
        incidents=Figure(len(incidents), InList("incidents"), more=len(incidents) == lists.MOST),
        incidents_hold=Figure(sum(one.many or 0 for one in incidents), they_hold),
        left=lists.count(work, "left", groups),
        texts_failed=lists.count(work, "texts-failed", groups),
        not_lost=Figure(len(not_lost), InList("not-lost"), more=len(not_lost) == lists.MOST),
        cancelled=Figure(len(cancelled), InList("cancelled"), more=len(cancelled) == lists.MOST),
        assigned=lists.count(work, "assigned", groups),
        cases_overdue=overdue,
        cases_soon=soon,
        by_whom={
            "not-lost": Counter(one.who for one in not_lost if one.who),
            "cancelled": Counter(one.who for one in cancelled if one.who),
        },
    )


def _cases(work: Work, groups: Groups) -> tuple[Figure | None, Figure | None]:
    """Cases whose clock has run out, and those whose clock does so soon; no page of cases is of use where none are."""
    counted = cases.counts(work, groups)
    if not counted.open and not cases.queues(work, groups):
        return None, None
    return Figure(counted.overdue, InCases("overdue")), Figure(counted.soon, InCases("soon"))
