"""Callbacks that ring one agent alone: whose phone it is, and which of these agents did not take the last ones.

As long as a reservation names an agent nobody else is rung for it; who does not answer is left alone for a while, each
time longer, and the queue's other callbacks know nothing of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import bindparam, select

from callback.attempts.lanes import Flight
from callback.attempts.snapshot import Live, Seat
from callback.reservations.reservation import Reservation
from callback.site.work import Work
from callback.store import tables as t
from scheduler.clock import HOUR, SECOND
from scheduler.retry import LONGEST_WITHOUT_AGENT_S

REST_S: Final = 60
LOOKED_BACK_US: Final = HOUR
LOOKED_AT: Final = 200

_A = t.attempt.c
_IN_VAIN = (
    select(_A.only_agent, _A.ended_at)
    .where(_A.pbx == bindparam("of_pbx"), t.FOUND_NO_AGENT, _A.claimed_at > bindparam("since"))
    .where(_A.only_agent.is_not(None))
    .order_by(_A.claimed_at.desc())
    .limit(LOOKED_AT)
)


def holds(row: Reservation, now: int) -> bool:
    """Whether one agent alone is to be rung for this reservation."""
    return row.agent is not None and row.agent_until_at is not None and now < row.agent_until_at


def seat(row: Reservation, live: Live) -> Seat | None:
    """Where the agent of a reservation sits, as its queue knows the member; None where it knows none of that name."""
    return None if row.agent is None else live.seats.get(row.queue, {}).get(row.agent)


def rung(in_flight: Iterable[Flight], live: Live) -> frozenset[str]:
    """The phones of those who are rung, or are to be rung in a moment, alone: nobody else gets them."""
    seats = (live.seats.get(flight.queue, {}).get(flight.only_agent or "") for flight in in_flight if looks(flight))
    return frozenset(one.phone for one in seats if one is not None)


def looks(flight: Flight) -> bool:
    """Whether an attempt looks for one agent alone, who has not answered yet."""
    return flight.only_agent is not None and flight.agent_connected_at is None


def rest(work: Work) -> dict[str, int]:
    """The agents who did not answer callbacks that rang them alone, and until when they are left alone."""
    asked = {"of_pbx": work.pbx, "since": work.now - LOOKED_BACK_US}
    times, last = Counter[str](), dict[str, int]()
    for agent, ended_at in work.connection.execute(_IN_VAIN, asked):
        times[agent] += 1
        last[agent] = max(ended_at, last.get(agent, 0))
    ends = {agent: last[agent] + _rest_us(many) for agent, many in times.items()}
    return {agent: until for agent, until in ends.items() if until > work.now}


def _rest_us(times: int) -> int:
    return min(REST_S << (times - 1), LONGEST_WITHOUT_AGENT_S) * SECOND


def present(queues: Iterable[str], free: Mapping[str, Iterable[str]], live: Live, resting: Iterable[str]) -> set[str]:
    """The names of those who can be rung alone in one of these queues."""
    names = set[str]()
    for queue in queues:
        phones = frozenset(free.get(queue, ()))
        names |= {name for name, one in live.seats.get(queue, {}).items() if one.phone in phones}
    return names.difference(resting)
