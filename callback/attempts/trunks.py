"""Trunks that rest after failures in a row, by the last attempts over each; and whose callbacks wait for that."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select

from callback.attempts.lanes import Flight
from callback.events import TrunkBack, TrunkResting
from callback.reservations.reservation import Reservation
from callback.site.context import Site
from callback.site.work import Work
from callback.store import tables as t
from scheduler.breaker import FAILURE, IN_A_ROW, Tried, rests_until
from scheduler.retry import NO_AGENT

LOOKED_AT = 50  # attempts; a trunk that failed as often rests as long as it ever does

_A = t.attempt.c
# Made once, and asked for each claim.
_LAST = (
    select(_A.claimed_at, _A.ended_at, _A.outcome, _A.id, _A.person_id)
    .where(_A.pbx == bindparam("of_pbx"), _A.trunk == bindparam("of_trunk"), t.TELLING)
    .order_by(_A.claimed_at.desc())
    .limit(bindparam("newest"))
)
# Those who found no agent are owed a callback still: the open reservations are few, and all attempts are many
_NO_TRIALS = (
    select(func.count())
    .select_from(t.reservation)
    .join(t.attempt, _A.reservation_id == t.reservation.c.id)
    .where(t.OPEN, t.reservation.c.pbx == bindparam("of_pbx"), _A.trunk == bindparam("of_trunk"))
    .where(_A.outcome == NO_AGENT, _A.claimed_at >= bindparam("since"))
)


@dataclass(frozen=True, slots=True)
class Rest:
    """A trunk whose breaker is not closed: no attempt before `until`, then one; `failed` is who failed last."""

    until: int
    failed: int


@dataclass(frozen=True, slots=True)
class _TriedWith(Tried):
    """An attempt that tells of its trunk, and the person who was called."""

    attempt: str
    person_id: int


def rests(work: Work, in_flight: Collection[Flight]) -> dict[str, Rest]:
    """The trunks whose breaker is not closed; a trial under way keeps one shut until its ring must have ended.

    A trial that finds no agent never comes to the trunk. After some of them it is agents who are missing, and no
    reason any more to let all wait for one trial at a time.
    """
    found = {}
    for trunk in work.site.trunks:
        newest = _last(work, trunk, IN_A_ROW)
        if len(newest) < IN_A_ROW or not all(one.failed for one in newest):
            continue
        until = _until(work.site, _last(work, trunk, LOOKED_AT))
        trials = [flight.ring_until_at for flight in in_flight if (flight.pbx, flight.trunk) == (work.pbx, trunk)]
        if until is not None and _no_trials(work, trunk, until) < IN_A_ROW:
            found[trunk] = Rest(max([until, *trials]), newest[0].person_id)
    return found


def shut_to(
    rows: Collection[Reservation], site: Site, rests: Mapping[str, Rest], now: int
) -> dict[int, tuple[str, int]]:
    """The reservations that wait for a trunk that rests: which one, and until when.

    The trial is somebody else's than the last failure's, where there is somebody: one bad number must not keep a
    trunk shut to all.
    """
    shut: dict[int, tuple[str, int]] = {}
    over = {row.id: site.dials_over(row.trunk) for row in rows} if rests else {}
    for trunk, rest in rests.items():
        waiting = [row for row in rows if over[row.id] == trunk]
        others = [row for row in waiting if row.person_id != rest.failed]
        waits = waiting if rest.until > now else [row for row in waiting if others and row.person_id == rest.failed]
        shut |= {row.id: (trunk, rest.until) for row in waits}
    return shut


def tell(work: Work, trunk: str, attempt: str) -> None:
    """What the end of this attempt, just written down, has changed for its trunk."""
    newest = _last(work, trunk, LOOKED_AT)
    before, after = _until(work.site, [one for one in newest if one.attempt != attempt]), _until(work.site, newest)
    if after == before:
        return
    work.tell(TrunkBack(trunk) if after is None else TrunkResting(trunk, after, again=before is not None))


def _no_trials(work: Work, trunk: str, until: int) -> int:
    """How many attempts since the end of its rest found no agent."""
    asked = {"of_pbx": work.pbx, "of_trunk": trunk, "since": until}
    return int(work.connection.execute(_NO_TRIALS, asked).scalar_one())


def _last(work: Work, trunk: str, newest: int) -> list[_TriedWith]:
    """The last attempts that tell of a trunk, the newest first."""
    rows = work.connection.execute(_LAST, {"of_pbx": work.pbx, "of_trunk": trunk, "newest": newest})
    return [
        _TriedWith(claimed_at, ended_at, outcome == FAILURE, attempt, person_id)
        for claimed_at, ended_at, outcome, attempt, person_id in rows
    ]


def _until(site: Site, newest_first: Sequence[Tried]) -> int | None:
    return rests_until(reversed(newest_first), site.rules.trunk_rest_s)
