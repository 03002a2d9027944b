"""How long one decision takes: choose one of 10,000 reservations that are due, and claim it, with the commit.

990,000 reservations are settled; 10,000 are open and due in 20 queues, most of which cannot be called: in most queues
nobody is free, in some callers wait, and one customer in twenty is on the line. A claim is the service's own: one
transaction that reads the lanes, asks the rule and writes the attempt. Eight at once are eight threads of one process.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import threading
import time as clock
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy import func, insert, select, text, update

from benchmarks.figures import load, rank
from callback.attempts import claim as claiming
from callback.attempts import settle
from callback.attempts.snapshot import Live
from callback.settings.rules import QueueRules, SiteRules
from callback.settings.sections import PbxWiring, Settings, Trunk
from callback.site.context import Site, take_over
from callback.site.work import Work
from callback.store import checkpoints, lease, schema
from callback.store import tables as t
from callback.store.engine import Store
from lab import postgres
from scheduler.clock import SECOND

QUEUES: Final = [f"queue{number:02}" for number in range(20)]
FREE: Final = QUEUES[:6]
"""Queues in which an agent is free; in the others nobody is."""
CALLERS_WAIT: Final = FREE[:3]
AGENTS: Final = 10  # as many as there may be attempts at once, and more
CLAIMS: Final = 1000
WARM: Final = 50
PIECE: Final = 20_000
NOON: Final = 1_795_402_800 * SECOND  # 2026-11-23 03:00 UTC
ON: Final = QueueRules(calls="on", caller_id="0312345678")


@dataclass(frozen=True)
class Size:
    """The size of what is measured."""

    settled: int
    due: int
    claims: int


WHOLE: Final = Size(990_000, 10_000, CLAIMS)
QUICK: Final = Size(3_000, 1_000, 16)


class ClaimBench:
    """A database with its reservations, a shift, and the picture that decisions are made on."""

    def __init__(self, url: str, size: Size, tell: Callable[[int], None]) -> None:
        self.store = Store(url)
        schema.migrate(self.store)
        rules = SiteRules(
            zone="UTC", no_ring_after=time(23, 59), no_ring_before=time(0, 0, 1), queues=dict.fromkeys(QUEUES, ON)
        )
        settings = Settings(
            pbx=PbxWiring(name="main", username="u", secret="s"),  # noqa: S106 - nobody logs in
            trunks={"main": Trunk(region="JP", form="national")},
            rules=rules,
        )
        with self.store.write() as connection:
            held = lease.acquire(connection, "pbx:main", "me", "here", 3600)
            assert held is not None  # noqa: S101 - an empty database
            self.held = held
            self.site: Site = take_over(connection, settings, NOON)
            checkpoints.begin(connection, "main", "j1", NOON - 10**12)
        self._fill(size, tell)
        numbers = frozenset(_number(person) for person in range(0, size.due, 20))
        free = {queue: frozenset(f"PJSIP/{queue}-{agent}" for agent in range(AGENTS)) for queue in FREE}
        self.picture = Live(None, free, dict.fromkeys(CALLERS_WAIT, AGENTS), numbers, "boot")

    def _fill(self, size: Size, tell: Callable[[int], None]) -> None:
        for begin in range(0, size.settled + size.due, PIECE):
            rows = range(begin, min(begin + PIECE, size.settled + size.due))
            with self.store.write() as connection:
                people = [{"id": row + 1, "number": _number(row), "created_at": NOON} for row in rows]
                connection.execute(insert(t.person), people)
                connection.execute(insert(t.reservation), [_reservation(row, size.due) for row in rows])
            tell(len(rows))
        with self.store.write() as connection:
            connection.execute(text("ANALYZE"))

    def claim(self) -> float:
        """Decide once, and claim; give the milliseconds that it took."""
        began = clock.perf_counter()
        with self.store.write() as connection:
            lease.guard(connection, self.held)
            order = claiming.next_order(Work(connection, self.site, NOON), self.held, self.picture)
        took = (clock.perf_counter() - began) * 1000
        if order is None:
            raise RuntimeError("nobody could be called: this measures nothing")
        with self.store.write() as connection:  # it goes to the end of its lane: the next decision is as hard
            settle.end(Work(connection, self.site, NOON), order.attempt, "agent-cancelled", [], NOON)
            claimed = select(t.attempt.c.reservation_id).where(t.attempt.c.id == order.attempt).scalar_subquery()
            last = {"clock_starts_at": NOON, "made_at": NOON - 2999 * SECOND, "aim_at": NOON + 1800 * SECOND}
            due = {"retry_at": None, "not_before_at": NOON, "severity": 0}
            connection.execute(update(t.reservation).where(t.reservation.c.id == claimed).values(**last, **due))
        return took


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


def measure(bench: ClaimBench, claims: int, at_once: int) -> list[float]:
    """Claim so many times, by so many threads at once; give the milliseconds of each."""
    for _ in range(WARM if claims > WARM else 1):
        bench.claim()
    took: list[float] = []
    faults: list[Exception] = []

    def work() -> None:
        try:
            took.extend([bench.claim() for _ in range(claims // at_once)])
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


def main(arguments: list[str]) -> int:
    """Measure, and print the table and the figures."""
    parser = argparse.ArgumentParser(prog="make bench BENCH=decision", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small site: shows that it works, measures nothing")
    size = QUICK if parser.parse_args(arguments).quick else WHOLE
    random.seed(1)
    figures: dict[str, float] = {}
    table = Table("database", "claims at once", "p50 ms", "p99 ms", "longest ms", title=f"one claim, {load()}")
    with tempfile.TemporaryDirectory() as folder, databases(Path(folder)) as urls:
        for kind, url in urls.items():
            with Progress(console=Console(stderr=True), transient=True) as progress:
                task = progress.add_task(f"filling {kind}", total=size.settled + size.due)
                bench = ClaimBench(url, size, lambda rows, task=task: progress.advance(task, rows))  # type: ignore[misc] # mypy cannot infer its default
            for at_once, name in ((1, f"{kind}_ms"), (8, f"{kind}_ms_8_at_once")):
                took = measure(bench, size.claims, at_once)
                figures[name] = round(rank(took, 0.99), 2)
                shown = (f"{value:.2f}" for value in (rank(took, 0.5), rank(took, 0.99), max(took)))
                table.add_row(kind, str(at_once), *shown)
            with bench.store.read() as connection:
                open_ = connection.execute(select(func.count()).select_from(t.reservation).where(t.OPEN)).scalar_one()
            figures[f"{kind}_open_at_the_end"] = open_
            bench.store.close()
    Console().print(table)
    print(json.dumps(figures))  # noqa: T201 - the last line is for programs
    return 0
