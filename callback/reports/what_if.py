"""What would come of it: more agents for a while, or some customers called now. Nothing is changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, select

from callback.accounts.roles import Groups
from callback.attempts import snapshot
from callback.reports import breaking
from callback.reports.breaking import Breaking
from callback.site.work import Work
from callback.store import tables as t
from scheduler import promise_forecast
from scheduler.promise_forecast import Due, Schedule
from scheduler.severity import NOW

MORE: Final = (1, 2, 3)
"""Agents that are offered beside those who are needed."""

_R = t.reservation.c
_CALLABLE = select(_R.id, _R.queue, _R.queue_group, _R.aim_at, _R.deadline_at).where(
    _R.pbx == bindparam("of_pbx"),
    t.OPEN,
    _R.state.in_(("waiting", "held")),
    _R.id.in_(bindparam("ids", expanding=True)),
)
_CALLABLE_OF_GROUPS = _CALLABLE.where(_R.queue_group.in_(bindparam("of_groups", expanding=True)))


@dataclass(frozen=True, slots=True)
class MoreAgents:
    """With so many `more` agents until `until_at`, `after` promises of a group are missed, of `before` without them."""

    more: int
    until_at: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Slip:
    """A callback that begins later than it would; None: not in time any more. Its promise is by `deadline_at`."""

    reservation: int
    deadline_at: int
    before_at: int | None
    after_at: int | None

    @property
    def breaks(self) -> bool:
        """Whether its promise would be kept, and is not."""
        return self.after_at is None


@dataclass(frozen=True, slots=True)
class CalledNow:
    """What comes of calling some customers of a group now: when the last of them is called, and who slips for it.

    `at` is None where nobody is there to call. `slips` have first those whose promise breaks, then by their deadlines.
    """

    group: str
    reservations: tuple[int, ...]
    at: int | None
    slips: tuple[Slip, ...]

    @property
    def breaks(self) -> tuple[Slip, ...]:
        """Those whose promise breaks for it."""
        return tuple(slip for slip in self.slips if slip.breaks)


def more_agents(seen: Breaking, now: int, until_at: int | None = None, most: int = MORE[-1]) -> list[MoreAgents]:
    """Say what each number of agents up to `most` would keep: until `until_at`, else until all of it is done.

    Promises that no agent keeps are not counted.
    """
    before = promise_forecast.schedule(seen.dues, seen.crew, 0, now).missed - len(seen.hopeless)
    found = []
    for more in range(1, most + 1):
        ends_at = until_at or promise_forecast.schedule(seen.dues, seen.crew, more, now).ends_at
        missed = promise_forecast.schedule(seen.dues, seen.crew, more, now, ends_at).missed
        found.append(MoreAgents(more, ends_at, before, missed - len(seen.hopeless)))
    return found


def call_now(work: Work, reservations: Collection[int], groups: Groups = None) -> list[CalledNow]:
    """Say what comes of calling these now, by group of queues. Those that cannot be called, or seen, are left out."""
    asked = {"of_pbx": work.pbx, "ids": sorted(set(reservations))}
    query = _CALLABLE if groups is None else _CALLABLE_OF_GROUPS
    rows = work.connection.execute(query, asked if groups is None else asked | {"of_groups": sorted(groups)})
    chosen: dict[str, list[Due]] = {}
    for row in rows:
        begins_at = work.site.free_at("call", row.queue, work.now)
        due = Due(begins_at, row.deadline_at, row.id, at_once=True, aim_at=row.aim_at, severity=NOW)
        chosen.setdefault(row.queue_group, []).append(due)
    picture = snapshot.recall(work.connection, work.pbx)
    seen = breaking.look(work, picture, frozenset(chosen)) if chosen else {}
    crews = breaking.crews_of(work, picture)
    return [
        _called_now(group, these, seen.get(group) or breaking.nothing(work, crews.get(group)), work.now)
        for group, these in sorted(chosen.items())
    ]


def _called_now(group: str, these: Sequence[Due], seen: Breaking, now: int) -> CalledNow:
    ids = {due.reservation for due in these}
    others = [due for due in seen.dues if due.reservation not in ids]
    before = promise_forecast.schedule(seen.dues, seen.crew, 0, now)
    after = promise_forecast.schedule([*others, *these], seen.crew, 0, now)
    begins = _begins(after)
    called = [begins[number] for number in ids if number in begins]
    slips = _slips(others, _begins(before), begins)
    at = max(called) if len(called) == len(ids) else None
    return CalledNow(group, tuple(sorted(ids)), at, tuple(slips) if at is not None else ())


def _begins(schedule: Schedule) -> Mapping[int, int]:
    return {due.reservation: at for due, at in schedule.begun}


def _slips(others: Sequence[Due], before: Mapping[int, int], after: Mapping[int, int]) -> list[Slip]:
    found = []
    for due in others:
        was, becomes = before.get(due.reservation), after.get(due.reservation)
        if was is not None and (becomes is None or becomes > was):
            found.append(Slip(due.reservation, due.deadline_at, was, becomes))
    return sorted(found, key=lambda slip: (not slip.breaks, slip.deadline_at, slip.reservation))
