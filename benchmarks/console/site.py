"""A site of a year: so many settled reservations, so many open ones, each with its call, promise, tries and text.

The database makes the rows from their number alone, so that a million take minutes. What is drawn is arithmetic on that
number: the same site each time, but for the instants, which are counted back from when it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

from benchmarks.errors import BenchmarkError
from callback.attempts import snapshot
from callback.attempts.agent_states import Agent, AgentState
from callback.attempts.snapshot import CallerWaiting, Live
from callback.settings.sections import Settings
from callback.site.context import Site, take_over
from callback.site.work import Work
from callback.store import checkpoints, keys, marking, schema
from callback.store.engine import Store
from scheduler.clock import MINUTE, SECOND
from scheduler.policy import QueueLoad

HOUR: Final = 60 * MINUTE
YEAR: Final = 365 * 24 * HOUR
QUEUES: Final = 20
GROUPS: Final = 4
AGENTS: Final = 60
CALLING: Final = 8  # of the open ones
PIECE: Final = 50_000
NUMBERS: Final = 819_000_000_000
"""A customer's number is this and the number of the row."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many reservations in all, and how many of them are open."""

    reservations: int
    open: int

    def __post_init__(self) -> None:
        if not CALLING < self.open < self.reservations:
            raise BenchmarkError(f"some are open, more than {CALLING}, and others settled")

    @property
    def settled(self) -> int:
        """How many are settled: theirs are the lower numbers, in the order of their losses."""
        return self.reservations - self.open


_DRAWN: Final = """
WITH RECURSIVE numbered(n) AS (
    SELECT CAST(:first AS BIGINT) UNION ALL SELECT n + 1 FROM numbered WHERE n < :last
), diced AS (
    SELECT n, n > :settled AS is_open, n > :reservations - {calling} AS is_calling, (n * 48271) % 1000 AS dice,
        n % {queues} AS q
    FROM numbered
), staged AS (
    SELECT diced.*,
        CASE
            WHEN is_calling THEN 'calling'
            WHEN is_open THEN CASE WHEN dice < 20 THEN 'held' ELSE 'waiting' END
            WHEN dice < 700 THEN 'reached' WHEN dice < 880 THEN 'returned' WHEN dice < 960 THEN 'given-up'
            ELSE 'cancelled'
        END AS state,
        is_open AND NOT is_calling AND dice >= 400 AS is_later,
        -- the deadline of an open one: some are late, some bind, most of those that may be called are inside the aim
        CASE
            WHEN NOT is_open THEN :now - {year} / :settled * (:settled - n) - {hour}
            WHEN dice < 40 THEN :now - {minute} * (1 + n % 50)
            WHEN dice < 60 THEN :now + {second} * (60 + n % 800)
            WHEN dice < 150 THEN :now + {minute} * (15 + n % 15)
            WHEN dice < 400 THEN :now + {minute} * (30 + n % 29)
            ELSE :now + {hour} * (2 + n % 12)
        END AS deadline_at
    FROM diced
), drawn AS (
    SELECT staged.*, deadline_at - {hour} AS starts_at, deadline_at - {hour} / 2 AS aim_at,
        CASE WHEN is_later THEN :now - {minute} * (30 + n % 600) ELSE deadline_at - {hour} END AS lost_at,
        CAST({numbers} + n AS VARCHAR(20)) AS digits,
        'queue' || CASE WHEN q < 10 THEN '0' ELSE '' END || CAST(q AS VARCHAR(2)) AS queue,
        'group' || CAST(q % {groups} AS VARCHAR(2)) AS queue_group,
        CAST((deadline_at - {hour}) / {second} AS VARCHAR(20)) || '.' || CAST(n AS VARCHAR(20)) AS call_id
    FROM staged
)
"""
_LOST: Final[Mapping[str, Mapping[str, str]]] = {
    "person": {"id": "n", "number": "'+' || digits", "created_at": "lost_at"},
    "call": {
        "pbx": "'main'", "call_id": "call_id", "linkedid": "call_id", "channel": "'PJSIP/main-' || call_id",
        "did": "'0312345678'", "queue": "queue", "person_id": "n", "started_at": "lost_at - 290 * {second}",
        "ended_at": "lost_at", "recovery": "'reserved'",
    },
    "queue_visit": {
        "pbx": "'main'", "call_id": "call_id", "queue": "queue", "joined_at": "lost_at - 250 * {second}",
        "ended_at": "lost_at", "ended_by": "'abandoned'",
    },
    "verdict": {
        "pbx": "'main'", "call_id": "call_id", "version": "1", "source": "'live-complete'", "rank": "3",
        "kind": "'abandoned'", "reason": "'gave-up-waiting'", "side": "'customer'", "waited_us": "250 * {second}",
        "talked_us": "0",
        "evidence": "{json_}'[\"QueueCallerJoin\", \"QueueCallerAbandon\", \"Hangup caller cause 16\"]'{_json}",
        "rules_version": "1", "judged_at": "lost_at + {second}",
    },
    "reservation": {
        "id": "n", "pbx": "'main'", "queue": "queue", "queue_group": "queue_group", "person_id": "n", "apart": "''",
        "trunk": "'main'", "kind": "'abandoned'", "state": "state", "open": "is_open", "made_at": "lost_at + {second}",
        "last_lost_at": "lost_at", "losses": "1", "tries": "CASE WHEN is_open THEN n % 2 ELSE 1 END",
        "promise_number": "1", "clock_starts_at": "starts_at", "aim_at": "aim_at", "deadline_at": "deadline_at",
        "not_before_at": "starts_at", "due_at": "starts_at", "severity": "CASE WHEN n % 50 = 0 THEN 1 ELSE 0 END",
        "state_since_at": "CASE WHEN is_open THEN lost_at + {second} ELSE aim_at END",
    },
    "promise": {
        "reservation_id": "n", "number": "1", "pbx": "'main'", "made_at": "lost_at + {second}",
        "clock_starts_at": "starts_at", "aim_at": "aim_at", "deadline_at": "deadline_at", "reason": "'window'",
        "rules_version": "1",
    },
    "loss": {
        "pbx": "'main'", "call_id": "call_id", "reservation_id": "n", "lost_at": "lost_at",
        "cause": "queue || '/gave-up-waiting/main'",
    },
    "text_outbox": {
        "id": "n", "pbx": "'main'", "cause": "'lost/' || CAST(n AS VARCHAR(20)) || '/' || CAST(lost_at AS VARCHAR(20))",
        "recipient": "'reservation/' || CAST(n AS VARCHAR(20))", "template": "'lost-abandoned'", "language": "'en'",
        "body": "'We are sorry that nobody answered. We call you back within the hour.'", "state": "'sent'",
        "created_at": "lost_at + {second}", "not_before_at": "lost_at + {second}", "expires_at": "deadline_at",
        "tries": "1", "fence": "1", "gateway": "'console'", "gateway_ref": "'gw-' || CAST(n AS VARCHAR(20))",
        "sent_at": "lost_at + 2 * {second}", "settled_at": "lost_at + 2 * {second}",
        "claimed_at": "lost_at + 2 * {second}", "person": "'person/' || CAST(n AS VARCHAR(20))",
        "delivery": "'delivered'", "delivery_at": "lost_at + 5 * {second}",
    },
    "happened": {
        "id": "n", "pbx": "'main'", "at": "lost_at", "stored_at": "lost_at + {second}", "name": "'reserved'",
        "reservation_id": "n", "call_id": "call_id",
        "facts": "{json_}'{{\"reservation\": ' || CAST(n AS VARCHAR(20)) || '}}'{_json}",
    },
}  # fmt: skip
_TRIED: Final[Mapping[str, str]] = {
    "id": "'a' || CAST(n AS VARCHAR(20))", "pbx": "'main'", "reservation_id": "n", "person_id": "n", "number": "1",
    "in_flight": "is_calling", "fence": "1", "rules_version": "1", "pbx_boot": "'boot'",
    "decision": "{json_}'{{}}'{_json}",
    "trunk": "'main'", "claimed_at": "starts_at + 10 * {minute}", "ring_until_at": "starts_at + 11 * {minute}",
    "agent": "'PJSIP/10' || CAST(10 + n % 50 AS VARCHAR(4))",
    "agent_connected_at": "starts_at + 10 * {minute} + 4 * {second}",
    "customer_dialled_at": "starts_at + 10 * {minute} + 5 * {second}",
    "customer_answered_at": "CASE WHEN state = 'reached' THEN starts_at + 10 * {minute} + 15 * {second} END",
    "ended_at": "CASE WHEN NOT is_calling THEN starts_at + 13 * {minute} END",
    "outcome": "CASE WHEN state = 'reached' THEN 'reached' WHEN NOT is_calling THEN 'no-answer' END",
    "counted": "CASE WHEN NOT is_calling THEN true END", "evidence": "{json_}'[\"said so\"]'{_json}",
}  # fmt: skip
_WAS_TRIED: Final = "is_calling OR state IN ('reached', 'given-up') OR (is_open AND n % 2 = 1 AND NOT is_later)"
_IN_ORDER: Final = (
    "person", "call", "queue_visit", "verdict", "reservation", "promise", "loss", "attempt", "text_outbox", "happened",
)  # fmt: skip
_NUMBERED: Final = ("person", "reservation", "text_outbox", "happened")
_SETTINGS: Final = """
[database]
url = "{url}"
[console]
listen = "127.0.0.1:{port}"
[pbx]
name = "main"
username = "u"
secret = "s"
[trunks.main]
region = "JP"
form = "national"
[rules]
zone = "UTC"
no_ring_after = "23:59:00"
no_ring_before = "00:00:01"
"""
_QUEUE: Final = """
[rules.queues.{queue}]
group = "{group}"
calls = "on"
texts = "on"
caller_id = "0312345678"
"""


def queue_name(number: int) -> str:
    """The name of a queue; the groups go round."""
    return f"queue{number:02}"


def settings_of(url: str, port: int) -> str:
    """The file of settings of the site, whose console listens at that port. It is open, and rings, the whole day."""
    queues = (_QUEUE.format(queue=queue_name(one), group=f"group{one % GROUPS}") for one in range(QUEUES))
    return _SETTINGS.format(url=url, port=port) + "".join(queues)


def fill(store: Store, settings: Settings, size: Size, now: int, tell: Callable[[int], None]) -> Site:
    """Fill an empty database; tell of each piece how many reservations it was."""
    schema.migrate(store)
    with store.write() as connection:
        site = take_over(connection, settings, now)
        checkpoints.begin(connection, "main", "j1", now - YEAR)
    keys.take_out(store)
    with store.write() as connection:
        marking.remove(connection)  # nothing of it is to be counted: the figures are filled, too
    statements = [text(_insert(store.dialect, table)) for table in _IN_ORDER]
    about = {"settled": size.settled, "reservations": size.reservations, "now": now}
    for first in range(1, size.reservations + 1, PIECE):
        last = min(first + PIECE - 1, size.reservations)
        with store.write() as connection:
            _let_it_last(connection)
            for statement in statements:
                connection.execute(statement, about | {"first": first, "last": last})
        tell(last - first + 1)
    with store.write() as connection:
        _let_it_last(connection)
        for table in _NUMBERED if store.dialect == "postgresql" else ():
            connection.execute(text(f"SELECT setval('{table}_id_seq', {size.reservations})"))
        marking.make(connection)
        connection.execute(text("ANALYZE"))
    return site


def _let_it_last(connection: Connection) -> None:
    """Let a statement take longer than one of the service may."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))


def _insert(dialect: str, table: str) -> str:
    columns = _TRIED if table == "attempt" else _LOST[table]
    json, end = ("CAST(", " AS JSON)") if dialect == "postgresql" else ("", "")
    known = {
        "second": SECOND, "minute": MINUTE, "hour": HOUR, "year": YEAR, "queues": QUEUES, "groups": GROUPS,
        "calling": CALLING, "numbers": NUMBERS, "json_": json, "_json": end,
    }  # fmt: skip
    names, values = ", ".join(f'"{name}"' for name in columns), ", ".join(columns.values())
    which = _WAS_TRIED if table == "attempt" else "true"
    return f'INSERT INTO "{table}" ({names}) {_DRAWN} SELECT {values} FROM drawn WHERE {which}'.format(**known)  # noqa: S608 - all of it stands here


def show(work: Work, turn: int) -> None:
    """Keep a picture of the PBX, as the service does each second: what agents do and who waits goes round."""
    queues = [queue_name(number) for number in range(QUEUES)]
    agents = tuple(_agent(number, queues[number % QUEUES], turn, work.now) for number in range(AGENTS))
    at_work = {queue: frozenset(one.phone for one in agents if queue in one.queues) for queue in queues}
    free = {
        queue: frozenset(one.phone for one in agents if queue in one.queues and one.state == "free") for queue in queues
    }
    callers = {
        queue: tuple(CallerWaiting(work.now - 10 * SECOND * (1 + caller)) for caller in range((turn + place) % 3))
        for place, queue in enumerate(queues)
        if place % 3 == 0
    }
    loads = {
        queue: QueueLoad(len(phones), len(free[queue]), 0.01, 240.0, 90.0, frozenset([queue]))
        for queue, phones in at_work.items()
    }
    live = Live(
        None, free, {queue: len(waiting) for queue, waiting in callers.items()}, frozenset(), "boot", work.now,
        loads=loads, handle_s=dict.fromkeys(queues, 240.0), at_work=at_work, phones=at_work, agents=agents,
        callers=callers,
    )  # fmt: skip
    snapshot.store(work.connection, "main", live, work.now)


def _agent(number: int, queue: str, turn: int, now: int) -> Agent:
    states: tuple[AgentState, ...] = ("talking", "talking", "free", "callback", "paused")
    state = states[(number + turn // 20) % len(states)]
    return Agent(f"PJSIP/{1000 + number}", f"Agent {1000 + number}", (queue,), state, now - 40 * SECOND)
