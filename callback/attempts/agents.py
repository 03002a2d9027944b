"""Agents who do not answer callbacks: how often in a row, for a reservation and for a queue, and when that is told.

After some in a row the queue rests, each time longer: with many who are owed a callback, agents' phones would else ring
without end. It costs no customer a try, and the rest ends with the first callback that an agent takes.

It is derived from the attempts, so there is no state to keep or to lose.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, bindparam, func, select

from callback.attempts.lanes import Flight
from callback.events import AgentsBack, AgentsSilent
from callback.site.work import Work
from callback.store import tables as t
from scheduler.breaker import Tried, rests_until
from scheduler.clock import HOUR
from scheduler.retry import NO_AGENT

IN_A_ROW: Final = 3
"""After so many callbacks that no agent took a queue rests. That is told, then at twice as many, and so on."""
LOOKED_BACK_US: Final = 2 * HOUR
MOST: Final = 50
REST_S: Final = 60
"""The first rest of a queue; after each callback that is tried then and found no agent, twice as long."""
LOOKED_AT: Final = 200

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
    .join(t.reservation, _R.id == _A.reservation_id)
    .where(_A.pbx == bindparam("of_pbx"), t.FOUND_NO_AGENT, _A.claimed_at > bindparam("since"))
    .where(_R.queue == bindparam("of_queue"), _A.only_agent.is_(None))
)
_NEWEST = (
    select(_R.queue, _A.claimed_at, _A.ended_at)
    .join(t.reservation, _R.id == _A.reservation_id)
    .where(_A.pbx == bindparam("of_pbx"), t.FOUND_NO_AGENT, _A.claimed_at > bindparam("since"))
    .where(_A.only_agent.is_(None))  # one who was rung alone is no sign of the others
    .order_by(_A.claimed_at.desc())
    .limit(LOOKED_AT)
)


def rests(work: Work, in_flight: Collection[Flight]) -> dict[str, int]:
    """The queues whose agents did not take several callbacks in a row, and until when they rest, or rested.

    Then one is tried at a time; while it looks for an agent, the others wait for what comes of it.
    """
    found = {}
    for queue, tried in _tried(work).items():
        own = [flight for flight in in_flight if (flight.pbx, flight.queue) == (work.pbx, queue)]
        if len(tried) < IN_A_ROW or any(flight.agent_connected_at is not None for flight in own):
            continue
        since = _answered_since(work, queue)
        until = rests_until((one for one in tried if one.claimed_at > since), REST_S)
        if until is not None:
            found[queue] = max([until, *(flight.ring_until_at for flight in own)])
    return found


def _tried(work: Work) -> dict[str, list[Tried]]:
    """The last attempts that found no agent, by queue, in the order claimed."""
    tried: dict[str, list[Tried]] = defaultdict(list)
    newest = work.connection.execute(_NEWEST, {"of_pbx": work.pbx, "since": work.now - LOOKED_BACK_US}).all()
    for queue, claimed_at, ended_at in reversed(newest):
        tried[queue].append(Tried(claimed_at, ended_at, failed=True))
    return tried


def _answered_since(work: Work, queue: str) -> int:
    """When an agent of a queue last took a callback that told of a trunk; long ago: the earliest that is looked at."""
    asked = {"of_pbx": work.pbx, "of_queue": queue, "but": "", "since": work.now - LOOKED_BACK_US}
    times = (work.connection.execute(_ANSWERED, asked | {"of_trunk": trunk}).scalar() for trunk in work.site.trunks)
    return max((at for at in times if at is not None), default=work.now - LOOKED_BACK_US)


def in_vain(connection: Connection, reservation: int) -> int:
    """How many of a reservation's attempts, the last ones in a row, found no agent."""
    outcomes = connection.execute(_OF_RESERVATION, {"reservation": reservation}).scalars().all()
    return next((place for place, outcome in enumerate(outcomes) if outcome != NO_AGENT), len(outcomes))


def tell(work: Work, queue: str, trunk: str, attempt: str) -> None:
    """What the end of this attempt, just written down, has changed for the queue: nobody answers, or somebody does."""
    asked = {"of_pbx": work.pbx, "of_queue": queue}
    since = {"of_trunk": trunk, "but": attempt, "since": work.now - LOOKED_BACK_US}
    answered_at = work.connection.execute(_ANSWERED, asked | since).scalar()
    counted = {"since": answered_at or work.now - LOOKED_BACK_US}
    times, first_at = work.connection.execute(_IN_VAIN, asked | counted).one()
    outcome = work.connection.execute(select(_A.outcome).where(_A.id == attempt)).scalar_one()
    if outcome == NO_AGENT and _worth_telling(times):
        work.tell(AgentsSilent(queue, times, first_at))
    if outcome != NO_AGENT and times >= IN_A_ROW:
        work.tell(AgentsBack(queue))


def _worth_telling(times: int) -> bool:
    rounds, rest = divmod(times, IN_A_ROW)
    return rest == 0 and rounds > 0 and rounds & (rounds - 1) == 0
