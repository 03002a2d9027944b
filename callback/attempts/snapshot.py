"""What the PBX shows right now, as far as deciding needs it: a value, so that it can be stored and looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, bindparam, delete, insert, select

from callback.attempts import agent_states
from callback.attempts.agent_states import Agent
from callback.attempts.load import Traffic, at_work, free
from callback.clock import CLOCK_MAY_BE_OFF_S
from callback.customers import numbers as phone_numbers
from callback.site.context import Site
from callback.store import tables as t
from scheduler.policy import QueueLoad
from telephony.ids import attempt_of

if TYPE_CHECKING:  # whoever only looks at a stored picture must not load all that listens
    from telephony.agents import AgentsView
    from telephony.pbx import Pbx

STALE_S = 10  # an older picture is none: the service does not run
CLOCKS_OFF = ("pbx-clock-off", "database-clock-off")
ON_THE_LINE: Final = 2000
"""Numbers whose persons are looked up each second; where more are on the line, the rest is not known to readers."""

_P, _R = t.person.c, t.reservation.c
# Made once: it runs each second. Only whom we owe a callback matters to a reader.
_OWED_PERSONS = select(_P.id, _P.number).where(
    _P.number.in_(bindparam("numbers", expanding=True)),
    select(_R.id).where(_R.person_id == _P.id, t.OPEN, _R.pbx == bindparam("of_pbx")).exists(),
)
_VIEW = select(t.live_view).where(t.live_view.c.pbx == bindparam("of_pbx"))


@dataclass(frozen=True, slots=True)
class CallerWaiting:
    """Who waits in a queue since `since_at`; `owed`: we owe that person a callback. None: nobody looked yet."""

    since_at: int
    numbers: frozenset[str] = frozenset()  # E.164, as each trunk reads what was signalled; not in the database
    owed: bool | None = None


@dataclass(frozen=True, slots=True)
class Seat:
    """An agent in a queue: the phone that the agent is known by, and what Asterisk dials; empty: nobody knows."""

    phone: str
    interface: str = ""


@dataclass(frozen=True, slots=True)
class Live:
    """Free agents' phones and waiting callers by queue, numbers on the line; `closed` says why nothing is dialled.

    Numbers are known to the process that listens alone. Whoever recalls a picture has in their place the `persons` on
    the line to whom this PBX owes a callback.
    """

    closed: str | None
    free: dict[str, frozenset[str]]
    waiting: dict[str, int]
    numbers: frozenset[str]  # E.164, on any channel that is not our own
    boot: str
    heard_at: int | None = None  # when the PBX was listened to last; None: never
    newest: str = ""  # the last channel that was heard of by then
    loads: Mapping[str, QueueLoad] = field(default_factory=dict)  # how busy a queue is; empty: nobody knows yet
    handle_s: Mapping[str, float] = field(default_factory=dict)  # what a call of a queue takes
    at_work: Mapping[str, frozenset[str]] = field(default_factory=dict)  # phones of agents, free or not
    phones: Mapping[str, frozenset[str]] = field(default_factory=dict)  # of every member of a queue, at work or not
    agents: tuple[Agent, ...] | None = None  # who are logged in, and what they do; None: nobody told
    callers: Mapping[str, tuple[CallerWaiting, ...]] = field(default_factory=dict)  # the same as `waiting`, one by one
    persons: frozenset[int] = frozenset()
    seats: Mapping[str, Mapping[str, Seat]] = field(default_factory=dict)  # by queue, by the member's name

    @property
    def clock_off(self) -> bool:
        """Whether one of the clocks is off: then nothing is decided that only time decides."""
        return self.closed in CLOCKS_OFF

    def as_json(self) -> dict[str, Any]:
        """Plain values; numbers stay out of the database."""
        return {
            "closed": self.closed,
            "free": {queue: sorted(agents) for queue, agents in self.free.items()},
            "waiting": self.waiting,
            "boot": self.boot,
            "heard_at": self.heard_at,
            "newest": self.newest,
            "loads": {queue: asdict(load) | {"pool": sorted(load.pool)} for queue, load in self.loads.items()},
            "handle_s": dict(self.handle_s),
            "at_work": {queue: sorted(agents) for queue, agents in self.at_work.items()},
            "phones": {queue: sorted(phones) for queue, phones in self.phones.items()},
            "agents": None if self.agents is None else agent_states.as_json(self.agents),
            "callers": {queue: [[one.since_at, one.owed] for one in ones] for queue, ones in self.callers.items()},
            "persons": sorted(self.persons),
        }

    def with_persons(self, owed: Mapping[str, int]) -> Live:
        """Say who is on the line, and who of those who wait is owed a callback: persons, by their numbers."""
        callers = {
            queue: tuple(replace(one, owed=not one.numbers.isdisjoint(owed)) for one in ones)
            for queue, ones in self.callers.items()
        }
        return replace(self, callers=callers, persons=frozenset(owed.values()))


def look(
    pbx: Pbx, site: Site, traffic: Traffic, database_off_s: float, now: int, before: Iterable[Agent] | None = None
) -> Live:
    """Take the picture. `database_off_s` is how far its clock is off ours; `before`, the agents as last seen."""
    queues = pbx.agents.queues
    idle = {queue: free(pbx.agents, queue, now) for queue in queues}
    phones = (frozenset[str]().union(*idle.values()), pbx.tracker.own_phones())
    return Live(
        closed=_closed(pbx, database_off_s),
        free=idle,
        waiting={queue: pbx.tracker.waiting(queue) for queue in queues},
        numbers=frozenset(_numbers(pbx, site)),
        boot=pbx.boot,
        heard_at=pbx.heard_at,
        newest=pbx.newest,
        loads=traffic.loads(pbx.agents, now),
        handle_s=traffic.handle_s,
        at_work={queue: frozenset(at_work(pbx.agents, queue)) for queue in queues},
        phones={queue: _phones(pbx.agents, queue) for queue in queues},
        agents=tuple(agent_states.agents(pbx.agents, *phones, before, now)),
        callers={queue: callers for queue in queues if (callers := _callers(pbx, site, queue))},
        seats={queue: _seats(pbx.agents, queue) for queue in queues},
    )


def _callers(pbx: Pbx, site: Site, queue: str) -> tuple[CallerWaiting, ...]:
    return tuple(
        CallerWaiting(wait.since_at, frozenset(_e164({wait.number}, site))) for wait in pbx.tracker.waits(queue)
    )


def _seats(agents: AgentsView, queue: str) -> dict[str, Seat]:
    return {
        name: Seat(member.phone, member.interface)
        for member in agents.members_of(queue)
        for name in (member.interface, member.name)
        if name
    }


def _phones(agents: AgentsView, queue: str) -> frozenset[str]:
    """The phones of a queue's members, by the names that they ring under and that their state is watched by."""
    return frozenset(name for member in agents.members_of(queue) for name in (member.interface, member.phone))


def _closed(pbx: Pbx, database_off_s: float) -> str | None:
    if not pbx.ready:
        return "pbx-not-connected"
    if abs(pbx.clock_off_s) > CLOCK_MAY_BE_OFF_S:
        return "pbx-clock-off"
    return "database-clock-off" if abs(database_off_s) > CLOCK_MAY_BE_OFF_S else None


def _numbers(pbx: Pbx, site: Site) -> set[str]:
    """Every number that talks, rings, waits, or did so a moment ago and is not judged yet.

    It is read by each trunk's rules, since an agent may have dialled it on that channel; and where it may be
    two people's, neither is rung.
    """
    live = {
        signalled
        for signalled, channels in pbx.tracker.live_numbers().items()
        if not all(attempt_of(linkedid) for linkedid in channels.values())
    }
    return _e164(live | pbx.tracker.unjudged_numbers(), site)


def _e164(signalled: Collection[str], site: Site) -> set[str]:
    trunks = site.trunks.values()
    return {e164 for number in signalled for trunk in trunks for e164 in phone_numbers.on_the_line(number, trunk)}


def store(connection: Connection, pbx: str, live: Live, now: int) -> None:
    """Keep the picture for processes that only look; in place of numbers, who they are that a callback is owed to."""
    body = live.with_persons(_owed(connection, pbx, live)).as_json()
    connection.execute(delete(t.live_view).where(t.live_view.c.pbx == pbx))
    connection.execute(insert(t.live_view).values(pbx=pbx, seen_at=now, body=body))


def _owed(connection: Connection, pbx: str, live: Live) -> dict[str, int]:
    """The persons on the line, or waiting, to whom this PBX owes a callback, by number."""
    waiting = {number for callers in live.callers.values() for one in callers for number in one.numbers}
    numbers = sorted(waiting | live.numbers)[:ON_THE_LINE]
    if not numbers:
        return {}
    rows = connection.execute(_OWED_PERSONS, {"numbers": numbers, "of_pbx": pbx})
    return {row.number: row.id for row in rows}


def recall(connection: Connection, pbx: str) -> tuple[Live, int] | None:
    """The last picture and when it was taken; what a picture of an earlier version does not tell is not known."""
    row = connection.execute(_VIEW, {"of_pbx": pbx}).first()
    if row is None:
        return None
    body = row.body
    logged_in = None if body.get("agents") is None else agent_states.restored(body["agents"])
    live = Live(
        closed=body["closed"],
        free=_sets(body, "free"),
        waiting=body["waiting"],
        numbers=frozenset(),
        boot=body["boot"],
        heard_at=body.get("heard_at", row.seen_at),
        newest=body.get("newest", ""),
        loads={
            queue: QueueLoad(**facts | {"pool": frozenset(facts.get("pool", [queue]))})
            for queue, facts in body.get("loads", {}).items()
        },
        handle_s=body.get("handle_s", {}),
        at_work=_sets(body, "at_work"),
        phones=_sets(body, "phones"),
        agents=logged_in,
        callers={
            queue: tuple(CallerWaiting(since_at, owed=owed) for since_at, owed in callers)
            for queue, callers in body.get("callers", {}).items()
        },
        persons=frozenset(body.get("persons", ())),
        seats=_told_seats(logged_in or ()),
    )
    return live, row.seen_at


def _told_seats(logged_in: Iterable[Agent]) -> dict[str, dict[str, Seat]]:
    """Where those sit who are logged in, for whoever only looks: nobody dials by it."""
    found: dict[str, dict[str, Seat]] = {}
    for agent in logged_in:
        for queue in agent.queues:
            found.setdefault(queue, {})[agent.name] = Seat(agent.phone)
    return found


def _sets(body: Mapping[str, Any], of: str) -> dict[str, frozenset[str]]:
    return {queue: frozenset(names) for queue, names in body.get(of, {}).items()}
