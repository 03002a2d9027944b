"""Agents who do not answer callbacks: how often in a row, for a reservation and for a queue; told before long.

It is derived from the attempts, so there is no state to keep or to lose.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, bindparam, func, select

from callback.news import News
from callback.shift import Shift
from callback.store import tables as t
from scheduler.clock import HOUR
from scheduler.retry import NO_AGENT

IN_A_ROW: Final = 5
"""So many callbacks of a queue that no agent took are told; then twice as many, and so on."""
LOOKED_BACK_US: Final = 2 * HOUR
MOST: Final = 50

_A, _R = t.attempt.c, t.reservation.c
# Made once: they run at the end of each callback.
_OF_RESERVATION = (
    select(_A.outcome)
    .where(_A.reservation_id == bindparam("reservation"), _A.outcome.is_not(None))
    .order_by(_A.number.desc())
    .limit(MOST)
)
_ANSWERED = (
    select(_A.claimed_at)
    .join(t.reservation, _R.id == _A.reservation_id)
    .where(_A.pbx == bindparam("of_pbx"), _A.trunk == bindparam("of_trunk"), t.TELLING, _A.id != bindparam("but"))
    .where(_R.queue == bindparam("of_queue"), _A.agent_connected_at.is_not(None), _A.claimed_at > bindparam("since"))
    .order_by(_A.claimed_at.desc())
    .limit(1)
)
_IN_VAIN = (
    select(func.count(), func.min(_A.claimed_at))
    .select_from(t.reservation)
    .join(t.attempt, _A.reservation_id == _R.id)
    .where(t.OPEN, _R.pbx == bindparam("of_pbx"), _R.queue == bindparam("of_queue"))
    .where(_A.outcome == NO_AGENT, _A.claimed_at > bindparam("since"))
)


def in_vain(connection: Connection, reservation: int) -> int:
    """How many of a reservation's attempts, the last ones in a row, found no agent."""
    outcomes = connection.execute(_OF_RESERVATION, {"reservation": reservation}).scalars().all()
    return next((place for place, outcome in enumerate(outcomes) if outcome != NO_AGENT), len(outcomes))


def told(connection: Connection, shift: Shift, queue: str, trunk: str, attempt: str, now: int) -> list[News]:
    """What the end of this attempt, just written down, has changed for the queue: nobody answers, or somebody does."""
    asked = {"of_pbx": shift.pbx, "of_queue": queue}
    since = {"of_trunk": trunk, "but": attempt, "since": now - LOOKED_BACK_US}
    answered_at = connection.execute(_ANSWERED, asked | since).scalar()
    counted = {"since": answered_at or now - LOOKED_BACK_US}
    times, first_at = connection.execute(_IN_VAIN, asked | counted).one()
    outcome = connection.execute(select(_A.outcome).where(_A.id == attempt)).scalar_one()
    if outcome == NO_AGENT and _worth_telling(times):
        return [News("agents-silent", now, {"queue": queue, "times": times, "since_at": first_at})]
    if outcome != NO_AGENT and times >= IN_A_ROW:
        return [News("agents-back", now, {"queue": queue})]
    return []


def _worth_telling(times: int) -> bool:
    rounds, rest = divmod(times, IN_A_ROW)
    return rest == 0 and rounds > 0 and rounds & (rounds - 1) == 0
