"""What the PBX shows right now, as far as deciding needs it: a value, so that it can be stored and looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, insert, select

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


@dataclass(frozen=True, slots=True)
class Live:
    """Free agents' phones and waiting callers by queue, numbers on the line; `closed` says why nothing is dialled."""

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

    @property
    def clock_off(self) -> bool:
        """Whether one of the clocks is off: then nothing is decided that only time decides."""
        return self.closed in CLOCKS_OFF

    def as_json(self) -> dict[str, Any]:
        """Plain values; `numbers` stays out of the database."""
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
        }


def look(pbx: Pbx, site: Site, traffic: Traffic, database_off_s: float, now: int) -> Live:
    """Take the picture. `database_off_s` is how far the database's clock is off ours."""
    queues = pbx.agents.queues
    return Live(
        closed=_closed(pbx, database_off_s),
        free={queue: free(pbx.agents, queue, now) for queue in queues},
        waiting={queue: pbx.tracker.waiting(queue) for queue in queues},
        numbers=frozenset(_numbers(pbx, site)),
        boot=pbx.boot,
        heard_at=pbx.heard_at,
        newest=pbx.newest,
        loads=traffic.loads(pbx.agents, now),
        handle_s=traffic.handle_s,
        at_work={queue: frozenset(at_work(pbx.agents, queue)) for queue in queues},
        phones={queue: _phones(pbx.agents, queue) for queue in queues},
    )


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
    signalled = live | pbx.tracker.unjudged_numbers()
    trunks = site.trunks.values()
    return {e164 for number in signalled for trunk in trunks for e164 in phone_numbers.on_the_line(number, trunk)}


def store(connection: Connection, pbx: str, live: Live, now: int) -> None:
    """Keep the picture for processes that only look."""
    connection.execute(delete(t.live_view).where(t.live_view.c.pbx == pbx))
    connection.execute(insert(t.live_view).values(pbx=pbx, seen_at=now, body=live.as_json()))


def recall(connection: Connection, pbx: str) -> tuple[Live, int] | None:
    """The last picture and when it was taken."""
    row = connection.execute(select(t.live_view).where(t.live_view.c.pbx == pbx)).first()
    if row is None:
        return None
    body = row.body
    agents, there, phones = (
        {queue: frozenset(names) for queue, names in body.get(of, {}).items()} for of in ("free", "at_work", "phones")
    )
    heard_at = body.get("heard_at", row.seen_at)  # pictures of earlier versions do not tell
    loads = {
        queue: QueueLoad(**facts | {"pool": frozenset(facts.get("pool", [queue]))})
        for queue, facts in body.get("loads", {}).items()
    }
    facts = (body["closed"], agents, body["waiting"], frozenset[str](), body["boot"], heard_at, body.get("newest", ""))
    live = Live(*facts, loads, body.get("handle_s", {}), there, phones)
    return live, row.seen_at
