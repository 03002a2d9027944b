"""How long one decision takes: choose one of 10,000 reservations that are due, and claim it, with the commit.

990,000 reservations are settled, one in ten of them by a callback; 10,000 are open and due in 20 queues, most of which
cannot be called: in most queues nobody is free, in some callers wait, and one customer in twenty is on the line. A
claim is the service's own: one transaction that reads the lanes, asks the rule and writes the attempt. Eight at once
are eight threads of one process, all deciders of one PBX, each of which also ends what it claimed: harder than any site
has it, for one process decides for a PBX. Eight PBXs at once are eight such processes on one database, which share out
the reservations that are due. Eight together are claimed in one transaction, and what each took is an eighth of that.
Each figure is the median of five rounds.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import statistics
import tempfile
import threading
import time as clock
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from threading import Barrier
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy import String, bindparam, cast, event, func, insert, literal, select, text, update

from benchmarks.figures import load, rank
from callback.attempts import claim as claiming
from callback.attempts import settle
from callback.attempts.snapshot import Live
from callback.garbage import gc_seldom
from callback.settings.rules import QueueRules, SiteRules
from callback.settings.sections import PbxWiring, Settings, Trunk
from callback.site.context import Site, take_over
from callback.site.work import Work
from callback.store import checkpoints, keys, lease, schema
from callback.store import tables as t
from callback.store.engine import Store
from lab import postgres
from scheduler.clock import SECOND

QUEUES: Final = [f"queue{number:02}" for number in range(20)]
FREE: Final = QUEUES[:6]
"""Queues in which an agent is free; in the others nobody is."""
CALLERS_WAIT: Final = FREE[:3]
AGENTS: Final = 10  # as many as there may be attempts at once, and more
AT_ONCE: Final = 8
CLAIMS: Final = 200
ROUNDS: Final = 5
WARM: Final = 50
PIECE: Final = 20_000
NOON: Final = 1_795_402_800 * SECOND  # 2026-11-23 03:00 UTC
PATIENCE_S: Final = 120
ON: Final = QueueRules(calls="on", caller_id="0312345678")


_CLAIMED: Final = select(t.attempt.c.reservation_id).where(t.attempt.c.id == bindparam("ended")).scalar_subquery()
_TO_THE_END: Final = (
    update(t.reservation)
    .where(t.reservation.c.id == _CLAIMED)
    .values(clock_starts_at=NOON, made_at=NOON - 2999 * SECOND, aim_at=NOON + 1800 * SECOND)
    .values(retry_at=None, not_before_at=NOON, severity=0)
)


@dataclass(frozen=True)
class Size:
    """The size of what is measured: reservations in all, how many of them are due, and claims a round."""

    reservations: int
    due: int
    claims: int


def size_of(reservations: int) -> Size:
    """Give the size of a site: one reservation in ten is due, and 10,000 at most."""
    return Size(reservations, min(10_000, reservations // 10), CLAIMS)


WHOLE: Final = "1000000"
QUICK: Final = Size(4_000, 1_000, 16)


class ClaimBench:
    """A database with its reservations, a shift of one PBX, and the picture that its decisions are made on."""

    def __init__(self, url: str, size: Size, tell: Callable[[int], None] | None, pbx: str = "main") -> None:
        """Fill an empty database, and tell how far that is; without `tell` it has its reservations."""
        self.store = Store(url)
        schema.migrate(self.store)
        rules = SiteRules(
            zone="UTC", no_ring_after=time(23, 59), no_ring_before=time(0, 0, 1), queues=dict.fromkeys(QUEUES, ON)
        )
        settings = Settings(
            pbx=PbxWiring(name=pbx, username="u", secret="s"),  # noqa: S106 - nobody logs in
            trunks={"main": Trunk(region="JP", form="national")},
            rules=rules,
        )
        with self.store.write() as connection:
            held = lease.acquire(connection, f"pbx:{pbx}", "me", "here", 3600)
            assert held is not None  # noqa: S101 - an empty database
            self.held = held
            self.site: Site = take_over(connection, settings, NOON)
            checkpoints.begin(connection, pbx, "j1", NOON - 10**12)
        keys.take_out(self.store)  # as a service does when it starts: from then on it knows the key
        if tell is not None:
            self._fill(size, tell)
        numbers = frozenset(_number(person) for person in range(0, size.due, 20))
        free = {queue: frozenset(f"PJSIP/{queue}-{agent}" for agent in range(AGENTS)) for queue in FREE}
        self.picture = Live(None, free, dict.fromkeys(CALLERS_WAIT, AGENTS), numbers, "boot")

    def _fill(self, size: Size, tell: Callable[[int], None]) -> None:
        for begin in range(0, size.reservations, PIECE):
            rows = range(begin, min(begin + PIECE, size.reservations))
            with self.store.write() as connection:
                people = [{"id": row + 1, "number": _number(row), "created_at": NOON} for row in rows]
                connection.execute(insert(t.person), people)
                connection.execute(insert(t.reservation), [_reservation(row, size.due) for row in rows])
                called = [_attempt(row) for row in rows if row >= size.due and row % 10 == 0]
                connection.execute(insert(t.attempt), called)
            tell(len(rows))
        with self.store.write() as connection:
            connection.execute(text("ANALYZE"))

    def claim(self, most: int = 1) -> float:
        """Decide once, and claim so many together; give the milliseconds that each took."""
        began = clock.perf_counter()
        with self.store.write() as connection:
            lease.guard(connection, self.held)
            orders = claiming.next_orders(Work(connection, self.site, NOON), self.held, self.picture, most)
        took = (clock.perf_counter() - began) * 1000
        if len(orders) != most:
            raise RuntimeError(f"{len(orders)} of {most} could be called: this measures something else")
        for order in orders:
            with self.store.write() as connection:  # it goes to the end of its lane: the next decision is as hard
                settle.end(Work(connection, self.site, NOON), order.attempt, "agent-cancelled", [], NOON)
                connection.execute(_TO_THE_END, {"ended": order.attempt})
        return took / most

    def statements(self) -> int:
        """Claim once more, and count the statements of all that, without BEGIN and COMMIT."""
        made: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            made.append(statement)

        event.listen(self.store.engine, "before_cursor_execute", note)
        self.claim()
        event.remove(self.store.engine, "before_cursor_execute", note)
        ends = next(place for place, statement in enumerate(made) if statement.startswith("INSERT INTO happened"))
        return sum(not statement.startswith("BEGIN") for statement in made[: ends + 1])

    def share_out(self) -> None:
        """Give each of the PBXs its share of what is open, of each queue."""
        row = t.reservation.c.id - 1
        pbx = literal("pbx").concat(cast(row // len(QUEUES) % AT_ONCE, String))
        with self.store.write() as connection:
            connection.execute(update(t.reservation).where(t.OPEN).values(pbx=pbx))

    def open(self) -> int:
        """Count the open reservations."""
        with self.store.read() as connection:
            found = connection.execute(select(func.count()).select_from(t.reservation).where(t.OPEN))
            return int(found.scalar_one())


def _number(person: int) -> str:
    return f"+8190{person:08}"


def _reservation(row: int, due: int) -> dict[str, Any]:
    is_due = row < due
    made_at = NOON - (row % 3000 + 1) * SECOND if is_due else NOON - 86_400 * SECOND * (1 + row % 60)
    return {
        "id": row + 1,
        "pbx": "main",
        "queue": QUEUES[row % len(QUEUES)],
        "queue_group": "site",
        "person_id": row + 1,
        "apart": "",
        "trunk": "main",
        "kind": "abandoned",
        "state": "waiting" if is_due else "reached",
        "open": is_due,
        "made_at": made_at,
        "last_lost_at": made_at,
        "losses": 1,
        "tries": 0,
        "clock_starts_at": made_at,
        "aim_at": made_at + 1800 * SECOND,
        "deadline_at": made_at + 3600 * SECOND,
        "not_before_at": made_at,
        "due_at": made_at,
        "state_since_at": made_at,
        "severity": 1 if is_due and row % 50 == 0 else 0,
    }


def _attempt(row: int) -> dict[str, Any]:
    """Without attempts of old PostgreSQL would plan for an empty table, and read through it ever after."""
    claimed_at = NOON - 86_400 * SECOND * (1 + row % 60)
    return {
        "id": f"{row:016x}",
        "pbx": "main",
        "reservation_id": row + 1,
        "person_id": row + 1,
        "number": 1,
        "in_flight": False,
        "fence": 1,
        "rules_version": 1,
        "pbx_boot": "boot",
        "trunk": "main",
        "decision": {},
        "claimed_at": claimed_at,
        "ring_until_at": claimed_at + 60 * SECOND,
        "customer_dialled_at": claimed_at,
        "ended_at": claimed_at + 60 * SECOND,
        "outcome": "reached",
        "counted": True,
        "evidence": [],
    }


def measure(bench: ClaimBench, claims: int, at_once: int, together: int) -> list[list[float]]:
    """Claim so many times, by so many threads at once, so many together; give the milliseconds of each, by round."""
    _warm(bench, claims)
    return [_round(bench, claims // together, at_once, together) for _ in range(ROUNDS)]


def _warm(bench: ClaimBench, claims: int) -> None:
    for _ in range(WARM if claims > WARM else 1):
        bench.claim()


def measure_pbxs(url: str, size: Size) -> list[list[float]]:
    """Claim so many times, by a process for each of the PBXs; give the milliseconds of each, by round."""
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(AT_ONCE, context) as pool:
        begin = manager.Barrier(AT_ONCE)
        deciders = [pool.submit(_decide, url, size, f"pbx{number}", begin) for number in range(AT_ONCE)]
        by_decider = [decider.result() for decider in deciders]
    return [[took for rounds in by_decider for took in rounds[number]] for number in range(ROUNDS)]


def _decide(url: str, size: Size, pbx: str, begin: Barrier) -> list[list[float]]:
    """Decide for one PBX, in a process of its own; each round begins when all are there."""
    bench = ClaimBench(url, size, None, pbx)
    gc_seldom()
    _warm(bench, size.claims)
    rounds = []
    for _ in range(ROUNDS):
        begin.wait(PATIENCE_S)
        rounds.append([bench.claim() for _ in range(size.claims // AT_ONCE)])
    bench.store.close()
    return rounds


def _round(bench: ClaimBench, decisions: int, at_once: int, together: int) -> list[float]:
    took: list[float] = []
    faults: list[Exception] = []

    def work() -> None:
        try:
            took.extend([bench.claim(together) for _ in range(decisions // at_once)])
        except Exception as fault:  # noqa: BLE001 - told below
            faults.append(fault)

    threads = [threading.Thread(target=work) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return took


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, str]]:
    """Give the URL of an empty database of each kind."""
    with postgres.serve(postgres.find(), durable=True) as server:
        yield {"sqlite": f"sqlite:///{folder / 'decision.db'}", "postgresql": server.create("decision")}


def measured(kind: str, url: str, size: Size, table: Table) -> dict[str, float]:
    """Fill a database, and measure it."""
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"filling {kind}", total=size.reservations)
        bench = ClaimBench(url, size, lambda rows: progress.advance(task, rows))
    gc_seldom()  # as the service does at its start
    figures: dict[str, float] = {}

    def note(name: str, at_once: str, together: int, rounds: list[list[float]]) -> None:
        p50, p99, longest = (statistics.median(rank(took, share) for took in rounds) for share in (0.5, 0.99, 1))
        figures[f"{kind}_{name}"] = round(p99, 2)
        shown = (f"{value:.2f}" for value in (p50, p99, longest))
        table.add_row(f"{size.reservations:,}", kind, at_once, str(together), *shown)

    ways = ((1, 1, "ms"), (AT_ONCE, 1, f"ms_{AT_ONCE}_at_once"), (1, claiming.MOST, f"ms_each_of_{claiming.MOST}"))
    for at_once, together, name in ways:
        note(name, str(at_once), together, measure(bench, size.claims, at_once, together))
    figures[f"{kind}_statements"] = bench.statements()
    bench.share_out()
    note(f"ms_{AT_ONCE}_pbxs_at_once", f"{AT_ONCE} PBXs", 1, measure_pbxs(url, size))
    figures[f"{kind}_open_at_the_end"] = bench.open()
    bench.store.close()
    return figures


def main(arguments: list[str]) -> int:
    """Measure, and print the table and the figures: those of the last size, and of each by its number."""
    parser = argparse.ArgumentParser(prog="make bench BENCH=decision", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small site: shows that it works, measures nothing")
    parser.add_argument("--reservations", default=WHOLE, help="how many in all, or several sizes: 10000,100000")
    asked = parser.parse_args(arguments)
    sizes = [QUICK] if asked.quick else [size_of(int(number)) for number in asked.reservations.split(",")]
    random.seed(1)
    table = Table(
        "reservations",
        "database",
        "at once",
        "together",
        "p50 ms",
        "p99 ms",
        "longest ms",
        title=f"one claim, {load()}",
    )
    by_size: dict[str, dict[str, float]] = {}
    for size in sizes:
        figures = by_size[str(size.reservations)] = {}
        with tempfile.TemporaryDirectory() as folder, databases(Path(folder)) as urls:
            for kind, url in urls.items():
                figures |= measured(kind, url, size, table)
    Console().print(table)
    print(json.dumps(figures | {"by_reservations": by_size}))  # noqa: T201 - the last line is for programs
    return 0
