"""What happens next to an open reservation: why nobody calls yet, its place in turn, and what follows each outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, case, func, or_, select

from callback.attempts import agents
from callback.reports.queue.board import Queue
from callback.reports.queue.lanes import BINDS, LANE_OF, MAY_BE_CALLED, WINDOW, moment
from callback.reports.queue.rows import Row
from callback.reports.queue.wanted import NOW
from callback.reservations.reservation import Reservation
from callback.site.work import Work
from callback.store import tables as t
from scheduler import retry

Then = Literal["again", "kept", "given-up"]
_R = t.reservation.c
_BINDS, _NEWEST_FIRST = MAY_BE_CALLED.index(BINDS), MAY_BE_CALLED.index(WINDOW)


@dataclass(frozen=True, slots=True)
class After:
    """What follows an attempt that ends with `outcome`: again after so many seconds, kept, or given up.

    `counts`: it is one of the tries. Of outcomes that are alike, `outcomes` names all.
    """

    outcomes: tuple[str, ...]
    then: Then
    again_s: int | None = None
    counts: bool = False


@dataclass(frozen=True, slots=True)
class NextStep:
    """The reservation as the queue shows it, with why nobody has called yet; its place in turn, and what may follow.

    `place` is None while it may not be called yet.
    """

    row: Row
    place: int | None
    of: int | None
    tries_left: int
    after: tuple[After, ...]


def _fact(name: str) -> BindParameter[int]:
    return bindparam(name)


_AIM, _SEVERITY, _MADE, _ID = map(_fact, ("of_aim", "of_severity", "of_made", "of_id"))
_PLACES = {lane: place for place, lane in enumerate(MAY_BE_CALLED)}
_STANDING: ColumnElement[int] = case(_PLACES, value=LANE_OF, else_=len(_PLACES))
_STANDS = _fact("standing")
_OLDER = or_(_R.aim_at < _AIM, and_(_R.aim_at == _AIM, _R.id < _ID))
_NEWER = or_(_R.made_at > _MADE, and_(_R.made_at == _MADE, _R.id < _ID))
_BY_AGE = case((_STANDING == _NEWEST_FIRST, _NEWER), else_=_OLDER)
_BY_HARM = or_(_R.severity > _SEVERITY, and_(_R.severity == _SEVERITY, _BY_AGE))
_WITHIN = case((_STANDING == _BINDS, _OLDER), else_=_BY_HARM)  # whose deadline binds goes by that alone
_AHEAD = case((_STANDING == _STANDS, _WITHIN), else_=_STANDS > _STANDING)
_TURN = select(func.count(case((_AHEAD, 1))), func.count()).where(
    t.OPEN, _R.pbx == bindparam("of_pbx"), _R.state == "waiting", _R.not_before_at <= NOW
)


def next_step(work: Work, row: Reservation, queue: Queue) -> NextStep:
    """Say what happens next to an open reservation, in the queue as it stands."""
    (shown,) = queue.by_id([row.id])
    place, of = (shown.why.turn, shown.why.of) if shown.why.turn is not None else _turn(work, row, shown)
    tries_left = max(0, work.site.rules.max_tries - row.tries)
    return NextStep(shown, place, of, tries_left, _after(work, row))


def _turn(work: Work, row: Reservation, shown: Row) -> tuple[int | None, int | None]:
    """The place of a row that lies behind the first of its lane."""
    if shown.lane not in MAY_BE_CALLED:
        return None, None
    asked = {**moment(work), "standing": MAY_BE_CALLED.index(shown.lane), "of_id": row.id}
    asked |= {"of_severity": row.severity, "of_made": row.made_at, "of_aim": row.aim_at}
    ahead, of = work.connection.execute(_TURN, asked).one()
    return ahead + 1, of


def _after(work: Work, row: Reservation) -> tuple[After, ...]:
    """What the table of retries does after each outcome; those alike together, in the table's order."""
    policy = work.site.rules.retry_policy()
    in_vain = agents.in_vain(work.connection, row.id)
    ahead = row.slot_at is not None and work.now < row.slot_at
    found: dict[tuple[Then, int | None, bool], list[str]] = {}
    for outcome in retry.OUTCOMES:
        match retry.after(outcome, row.tries, policy, in_vain, chosen_ahead=ahead):
            case retry.Settle():
                what: tuple[Then, int | None, bool] = ("kept", None, False)
            case retry.GiveUp():
                what = ("given-up", None, True)
            case retry.Retry(after_s, counts, since):
                ring_s = work.site.rules.ring_s if since == "ring-end" else 0
                what = ("again", after_s + ring_s, counts)
        found.setdefault(what, []).append(outcome)
    return tuple(After(tuple(outcomes), *what) for what, outcomes in found.items())
