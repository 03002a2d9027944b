"""How busy the agents of a queue are: what the price of a callback is reckoned from."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, bindparam, case, func, select

from callback.store import tables as t
from scheduler.clock import DAY, SECOND
from scheduler.policy import QueueLoad

if TYPE_CHECKING:  # as in snapshot.py
    from telephony.agents import AgentsView

LATELY_S: Final = 600  # of 2, 5, 10 and 30 minutes the best in a month that was lived again: docs/policy.md
LEAST_S: Final = 60  # after less listening nobody knows how many call
WEEKS: Final = 21 * DAY
LAST_CALLS: Final = 20_000
ENOUGH: Final = 200
"""Calls that were served, by those who share agents: of fewer nobody says what they are like."""
HANDLE_S: Final = (10.0, 7200.0)
PATIENCE_S: Final = (10.0, 1800.0)
GONE: Final = {"invalid", "unavailable", "unknown"}


@dataclass(frozen=True, slots=True)
class Seen:
    """What calls of a queue were like: how many were served, hung up, and how long they talked and waited in all."""

    served: int = 0
    hung_up: int = 0
    talked_s: float = 0.0
    waited_s: float = 0.0

    def __add__(self, other: Seen) -> Seen:
        return Seen(
            self.served + other.served,
            self.hung_up + other.hung_up,
            self.talked_s + other.talked_s,
            self.waited_s + other.waited_s,
        )

    @property
    def handle_s(self) -> float:
        """What one takes on average; after-call work is not seen."""
        return _within(HANDLE_S, self.talked_s / max(1, self.served))

    @property
    def patience_s(self) -> float:
        """How long callers wait on average before they hang up: all waiting, over the callers who hung up."""
        return _within(PATIENCE_S, self.waited_s / max(1, self.hung_up))


class Traffic:
    """The calls of one PBX: how many joined a queue lately, and what the last weeks' were like."""

    def __init__(self, now: int) -> None:
        self._since = now
        self._joined: deque[tuple[int, str]] = deque()
        self._seen: Mapping[str, Seen] = {}

    def joins(self, queue: str, now: int) -> None:
        """Somebody joined a queue."""
        self._joined.append((now, queue))
        self._forget(now)

    def learn(self, connection: Connection, pbx: str, now: int) -> None:
        """Look again what the last weeks' calls were like; once in a while is enough."""
        self._seen = seen(connection, pbx, now)

    @property
    def handle_s(self) -> dict[str, float]:
        """What a call takes, by queue, where enough were seen."""
        return {queue: one.handle_s for queue, one in self._seen.items() if one.served >= ENOUGH}

    def loads(self, agents: AgentsView, now: int) -> dict[str, QueueLoad]:
        """Give the load by queue, the same for all that share agents; none where too few calls were seen."""
        self._forget(now)
        there = {queue: at_work(agents, queue) for queue in agents.queues}
        joined = Counter(queue for _, queue in self._joined)
        listened_s = _within((LEAST_S, LATELY_S), (now - self._since) / SECOND)
        found: dict[str, QueueLoad] = {}
        for queues in groups(there):
            known = sum((self._seen.get(queue, Seen()) for queue in queues), Seen())
            if known.served < ENOUGH:
                continue
            staffed = {phone for queue in queues for phone in there[queue]}
            idle = staffed & {phone for queue in queues for phone in free(agents, queue, now)}
            calls_s = sum(joined[queue] for queue in queues) / listened_s
            load = QueueLoad(len(staffed), len(idle), calls_s, known.handle_s, known.patience_s, frozenset(queues))
            found |= dict.fromkeys(queues, load)
        return found

    def _forget(self, now: int) -> None:
        while self._joined and self._joined[0][0] <= now - LATELY_S * SECOND:
            self._joined.popleft()


def free(agents: AgentsView, queue: str, now: int) -> frozenset[str]:
    """Give the phones of agents who could take a call now: an agent has one, by whatever name a queue calls it."""
    interfaces = set(agents.free(queue, now))
    return frozenset(member.phone for member in agents.members_of(queue) if member.interface in interfaces)


def at_work(agents: AgentsView, queue: str) -> set[str]:
    """Give the phones of agents who are logged in and not on a break."""
    members = agents.members_of(queue)
    return {member.phone for member in members if not member.paused and agents.state(member.phone) not in GONE}


def groups(agents: Mapping[str, Iterable[str]]) -> list[set[str]]:
    """Part queues into those that share agents, by however many steps; one without agents is in no group."""
    found: list[tuple[set[str], set[str]]] = []
    for queue, phones in agents.items():
        queues, together = {queue}, set(phones)
        apart = []
        for one in found:
            if one[1] & together:
                queues, together = queues | one[0], together | one[1]
            else:
                apart.append(one)
        found = [*apart, (queues, together)] if together else found
    return [queues for queues, _ in found]


_v = t.queue_visit.c
_LAST = (
    select(t.call.c.pbx, t.call.c.call_id)
    .where(t.call.c.pbx == bindparam("of_pbx"), t.call.c.started_at > bindparam("since"))
    .order_by(t.call.c.started_at.desc())
    .limit(LAST_CALLS)
    .subquery()
)
_SEEN = (
    select(
        _v.queue,
        func.count(_v.connected_at).label("served"),
        func.sum(case((_v.ended_by == "abandoned", 1), else_=0)).label("hung_up"),
        func.coalesce(func.sum(_v.ended_at - _v.connected_at), 0).label("talked"),
        func.sum(func.coalesce(_v.connected_at, _v.ended_at) - _v.joined_at).label("waited"),
    )
    .join(_LAST, (_LAST.c.pbx == _v.pbx) & (_LAST.c.call_id == _v.call_id))
    .where(_v.ended_at.is_not(None))
    .group_by(_v.queue)
)


def seen(connection: Connection, pbx: str, now: int) -> dict[str, Seen]:
    """Give by queue what the last calls were like: so many, and of the last weeks."""
    rows = connection.execute(_SEEN, {"of_pbx": pbx, "since": now - WEEKS})
    return {
        row.queue: Seen(int(row.served), int(row.hung_up), float(row.talked) / SECOND, float(row.waited) / SECOND)
        for row in rows
    }


def _within(bounds: tuple[float, float], value: float) -> float:
    return min(max(value, bounds[0]), bounds[1])
