"""How long a campaign of 300,000 people takes: to gather the audience, to write a wave, to stop, and beside it a text.

Each of them called and was lost once, some of them twice; a third as many were served. Every fiftieth wants no texts,
every tenth is a landline. The database is as the service leaves it, with its indexes, triggers and constraints.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from rich.console import Console
from rich.table import Table
from sqlalchemy import insert, text

from benchmarks.errors import BenchmarkError
from benchmarks.figures import load
from callback.campaigns import waves
from callback.campaigns.campaign import Draft
from callback.campaigns.criteria import Criteria
from callback.customers import blocks
from callback.decisions.campaigns import acts
from callback.reports.campaigns import preview, progress
from callback.settings.care import QueueCare
from callback.settings.rules import QueueRules, SiteRules
from callback.settings.sections import PbxWiring, Settings, Trunk
from callback.site.context import Site, take_over
from callback.site.work import Work
from callback.store import marking, schema
from callback.store import tables as t
from callback.store.audit import By
from callback.store.engine import Store
from callback.store.keys import check
from lab import postgres
from scheduler.clock import HOUR, SECOND
from sms import outbox

T = TypeVar("T")
PEOPLE: Final = 300_000
QUICK: Final = 2_000
BY: Final = By("mia", "the exchange was down")
FIFTIETH, TENTH = 50, 10
PER_MIN: Final = 60_000
PEOPLE_SQL: Final = """
INSERT INTO person (id, number, shared, created_at, takes_texts)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)
SELECT i, '+8190' || CAST(10000000 + i AS VARCHAR(8)), false, :at, i % 10 <> 0 FROM n"""
LOST_ONCE: Final = """
INSERT INTO call (pbx, call_id, linkedid, channel, queue, person_id, started_at, ended_at, recovery)
SELECT 'main', 'a' || CAST(id AS VARCHAR(9)), 'a', 'PJSIP/trunk-0000',
  CASE WHEN id % 3 = 0 THEN 'sales' ELSE 'support' END, id, :at + id, :at + id + 60000000, 'reserved' FROM person"""
CALLED_AGAIN: Final = """
INSERT INTO call (pbx, call_id, linkedid, channel, queue, person_id, started_at, ended_at, recovery)
SELECT 'main', 'b' || CAST(id AS VARCHAR(9)), 'b', 'PJSIP/trunk-0000', 'support', id, :at + id, :at + id, 'merged'
FROM person WHERE id % 3 = 1"""
JUDGED: Final = """
INSERT INTO verdict (pbx, call_id, version, source, rank, kind, waited_us, talked_us, evidence, rules_version,
  judged_at)
SELECT pbx, call_id, 1, 'live-partial', 2,
  CASE WHEN call_id LIKE 'b%' AND person_id % 2 = 0 THEN 'served' ELSE 'abandoned' END, 9000000, 0, '[]', 1, :at
FROM call"""
JUDGED_AGAIN: Final = """
INSERT INTO verdict (pbx, call_id, version, source, rank, kind, waited_us, talked_us, evidence, rules_version,
  judged_at)
SELECT pbx, call_id, 2, 'live-complete', 3, 'abandoned', 9000000, 0, '[]', 1, :at
FROM call WHERE person_id % 5 = 0 AND call_id LIKE 'a%'"""
FILL: Final = (PEOPLE_SQL, LOST_ONCE, CALLED_AGAIN, JUDGED, JUDGED_AGAIN)


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds that each step took, and what came of it."""

    build_s: float
    preview_s: float
    wave_s: float
    text_s: float
    progress_s: float
    stop_s: float
    people: int
    to_tell: int
    wave: int
    taken_back: int


class _Bench:
    """A database with the calls, and the clock that the steps see."""

    def __init__(self, url: str, people: int) -> None:
        self.store = Store(url)
        schema.migrate(self.store)
        queue = QueueRules(texts="on", calls="on", caller_id="0312345678", care=QueueCare(campaigns=True))
        rules = SiteRules(zone="UTC", queues={"support": queue, "sales": queue}, texts_an_hour=1_000_000)
        self.now = self.store.now() // (24 * HOUR) * 24 * HOUR + 3 * HOUR  # noon in Tokyo
        trunk = Trunk(channel="PJSIP/trunk", region="JP", form="national")
        wiring = PbxWiring(name="main", username="u", secret="s")  # noqa: S106
        settings = Settings(pbx=wiring, trunks={"main": trunk}, rules=rules)
        with self.store.write() as connection:
            self.site: Site = take_over(connection, settings, self.now)
        check(self.store)
        self._fill(people)

    def _fill(self, people: int) -> None:
        at = self.now - HOUR
        with self.store.migration() as connection:
            marking.remove(connection)
            for statement in FILL:
                connection.execute(text(statement), {"many": people, "at": at} if ":many" in statement else {"at": at})
            silent = [f"+8190{10_000_000 + i}" for i in range(1, people + 1) if i % FIFTIETH == 1]
            rows = [{"number_key": blocks.hashed(connection, e164), **_said(at)} for e164 in silent]
            connection.execute(insert(t.block), rows)
            marking.make(connection)
        with self.store.write() as connection:
            connection.exec_driver_sql("ANALYZE")  # as a server does by itself

    def do(self, act: Callable[..., T], *about: object) -> tuple[T, float]:
        """Do something in one transaction, and say how long it took with its commit."""
        began = time.perf_counter()
        with self.store.write() as connection:
            done = act(Work(connection, self.site, self.now), *about)
        return done, time.perf_counter() - began


def _said(at: int) -> dict[str, object]:
    return {"calls": False, "texts": True, "who": "customer", "why": "answered by text", "at": at}


def measure(url: str, people: int) -> Measured:
    """Fill a database, and walk through a campaign."""
    bench = _Bench(url, people)
    criteria = Criteria(from_at=bench.now - 2 * HOUR, until_at=bench.now)
    words = {"en": "The exchange was down this morning. All is well again: {caller_id}"}
    draft = Draft(name="Exchange down", queue="support", criteria=criteria, words=words, per_min=PER_MIN)
    number, _ = bench.do(acts.make, draft, BY)
    found, build_s = bench.do(acts.build, number, BY)
    one, _ = bench.do(progress.one, number)
    shown, preview_s = bench.do(preview.preview, one)
    expected = sum(1 for i in range(1, people + 1) if i % TENTH and i % FIFTIETH != 1)
    if (found, shown.to_tell) != (people, expected):
        raise BenchmarkError(f"of {people} people {found} are in the audience, and {shown.to_tell} of {expected} told")
    bench.do(acts.start, number, BY)
    bench.now += 2 * SECOND
    wave, wave_s = bench.do(waves.tend)
    bench.do(_write)
    claimed, text_s = bench.do(lambda work: outbox.claim(work.connection, work.now, 10, 120, "bench"))
    if claimed[0].cause != "lost/1":
        raise BenchmarkError("a lost caller's text did not leave first")
    one, _ = bench.do(progress.one, number)
    _, progress_s = bench.do(progress.progress, one)
    taken_back, stop_s = bench.do(acts.stop, number, BY)
    bench.store.close()
    return Measured(
        build_s, preview_s, wave_s, text_s, progress_s, stop_s, found, shown.to_tell, wave, taken_back
    )  # fmt: skip


def _write(work: Work) -> None:
    """A lost caller's text, written after all of the campaign's."""
    said = outbox.NewText(
        cause="lost/1", pbx="main", recipient="reservation/1", template="lost", language="en", body="…",
        not_before_at=work.now, expires_at=work.now + HOUR,
    )  # fmt: skip
    outbox.put(work.connection, said, work.now)


def main(arguments: list[str]) -> int:
    """Measure on both databases, and print the table and the figures."""
    parser = argparse.ArgumentParser(prog="make bench BENCH=campaign", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="much too few people to mean anything: does it work?")
    people = QUICK if parser.parse_args(arguments).quick else PEOPLE
    found: dict[str, Measured] = {}
    try:
        with tempfile.TemporaryDirectory() as folder, postgres.serve(postgres.find(), durable=True) as server:
            found["postgresql"] = measure(server.create("campaign"), people)
            found["sqlite"] = measure(f"sqlite:///{folder}/bench.db", people)
    except BenchmarkError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    table = Table("", *found, title=f"{people} people, {load()}")
    for name in Measured.__slots__:
        table.add_row(name, *(f"{getattr(one, name):.3f}" if name.endswith("_s") else str(getattr(one, name))
                              for one in found.values()))  # fmt: skip
    Console().print(table)
    figures = {
        f"{kind}_{name}": round(getattr(one, name), 3) for kind, one in found.items() for name in Measured.__slots__
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0
