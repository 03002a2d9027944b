"""How soon the console shows a change to everybody, and how soon it answers, on a large site that goes on working.

990,000 reservations are settled and 10,000 open, and a year of figures is rolled up. At the console's own process 8
people read page after page (queue, now, a reservation's timeline, the month's report), with a pause of half a second;
200 more have such a page before them, live; and one has it open and reads nothing at all. Beside that, a supervisor
holds and resumes reservations that stand on those pages, two a second, and the picture of the PBX is written each
second, as the service does.

`fanout_s`: from the commit of a change to when the last viewer has the frame with it, the 99th percentile of all
changes. `*_p95_ms`: a page, from the request to its last byte. `ingest_p99_ms_*`: from the event that ends a call to
the commit of its verdict on the same database, with all these people at the console, and without the console.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy import select

from benchmarks import sender
from benchmarks.console import past, site
from benchmarks.console.changes import Change, make_changes
from benchmarks.console.people import Frames, Person, Reads, read_pages, watch_pages
from benchmarks.console.server import Usage, free_port, running
from benchmarks.console.site import Size
from benchmarks.errors import BenchmarkError
from benchmarks.figures import load, rank
from benchmarks.ingest import steady
from benchmarks.stage import Stage
from callback.accounts import sessions, users
from callback.accounts.change import Change as AccountChange
from callback.accounts.roles import Role
from callback.accounts.users import Profile
from callback.clock import now_us
from callback.settings.sections import load as load_settings
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By
from callback.store.engine import Store
from lab import postgres

OF_SESSION: Final = 4  # streams
READERS: Final = 8
REPORT: Final = "/reports?period=month&split=queue"
LOOKED_AT: Final = 4
"""Reservations that are held and resumed; they stand on the pages of all, and some have one of them open."""
EVERY_S: Final = 0.5
PAUSE_S: Final = 0.5
SETTLE_S: Final = 5.0
"""When all came, they wait so long for quiet before anything counts."""
SEEN_S: Final = 10.0
"""A change that somebody has not seen after that is lost."""
EAR_RATE: Final = 500  # events a second, of two PBXs
EAR_S: Final = 20.0
_BY: Final = By("bench", "who looks at the console")
_PEOPLE: Final[Sequence[tuple[str, Role, frozenset[str] | None, str]]] = (
    ("anna", "supervisor", None, "en"),
    ("bo", "supervisor", frozenset({"group0", "group1"}), "zh_Hans"),
    ("chen", "manager", None, "en"),
)
_FRESH: Final = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    size: Size
    streams: int = 200
    lasts_s: float = 60.0
    ear_s: float = EAR_S
    databases: Sequence[str] = ("sqlite", "postgresql")


WHOLE: Final = Scale(Size(1_000_000, 10_000))
QUICK: Final = Scale(Size(2_000, 400), streams=12, lasts_s=4, ear_s=2, databases=("sqlite",))


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured on one database."""

    reads: Reads
    frames: Frames
    changes: Sequence[Change]
    usage: Usage
    lasted_s: float
    ear_ms: dict[str, float]  # the 99th percentile, with and without the console

    def fanout_s(self) -> tuple[list[float], int]:
        """From each commit to the last viewer; and how many viewers in all never had a change."""
        took_s, lost = [], 0
        for change in self.changes:
            places = [place for place, page in enumerate(self.frames.pages) if _concerns(page, change)]
            came = [self._came(place, change) for place in places]
            there = [at for at in came if at is not None]
            lost += len(came) - len(there)
            if there:
                took_s.append((max(there) - change.committed_at) / 1e9)
        return took_s, lost

    def _came(self, place: int, change: Change) -> int | None:
        frames = self.frames.came[place]
        first = bisect_left(frames, (change.v, 0))
        return frames[first][1] if first < len(frames) else None


def _concerns(page: str, change: Change) -> bool:
    """Whether a page shows the reservation; all but another's timeline do."""
    return not page.startswith("/r/") or page == f"/r/{change.reservation}"


class Bench:
    """One database with its site, and the people who look at it."""

    def __init__(self, url: str, folder: Path, scale: Scale, tell: Callable[[int], None]) -> None:
        port = free_port()
        self.url, self.scale = f"http://127.0.0.1:{port}", scale
        self.file = folder / "callback.toml"
        self.file.write_text(site.settings_of(url, port))
        self.settings = load_settings(self.file)
        self.database, self.folder = url, folder
        with closing(Store(url)) as store:
            made = site.fill(store, self.settings, scale.size, now_us(), tell)
            self.looked_at = self._looked_at(store)
            with store.write() as connection:
                past.fill(connection, now_us())
            with store.write() as connection:
                site.show(Work(connection, made, now_us()), 0)
            self.readers, self.viewers, self.deaf = self._people(store)

    def _looked_at(self, store: Store) -> list[int]:
        """Reservations that are late: they stand among the first of the list, and are shown to all."""
        r = t.reservation.c
        late = select(r.id).where(r.pbx == "main", t.OPEN, r.state == "waiting", r.queue_group == "group0")
        with store.read() as connection:
            return list(connection.scalars(late.order_by(r.deadline_at).limit(LOOKED_AT)))

    def _people(self, store: Store) -> tuple[list[Person], list[Person], Person]:
        """Those who read, those whose pages are live, and who is deaf: a few people with many sessions."""
        with store.write() as connection:
            change = AccountChange(connection, "main", _BY, now_us())
            for name, role, groups, language in _PEOPLE:
                password = users.add(change, name, Profile(frozenset({role}), groups=groups, language=language))
                users.own_password(change, name, f"{password}-of-{name}")

            def person(place: int, pages: Sequence[str], whose: int | None = None) -> Person:
                name, _, _, language = _PEOPLE[place % len(_PEOPLE) if whose is None else whose]
                return Person(sessions.begin(connection, name, now_us()), language, pages)

            timelines = [f"/r/{id_}" for id_ in self.looked_at]
            readers = []
            for n in range(READERS):
                pages = ["/queue", "/now", timelines[n % LOOKED_AT], REPORT]
                readers.append(person(n, pages[n % len(pages) :] + pages[: n % len(pages)]))
            viewers = []
            for n in range(-(-self.scale.streams // OF_SESSION)):
                shared = person(n, [])
                page = timelines[n % LOOKED_AT] if n % 7 == 0 else "/queue" if n % 2 else "/now"
                viewers += [replace(shared, pages=[page])] * OF_SESSION
            return readers, viewers[: self.scale.streams], person(0, ["/queue"])

    def measure(self) -> Measured:
        """Let everybody look and act, and then the ear listen beside them; first of all, without them."""
        ear_ms = {"without": self._ear_ms("without")} if self.scale.ear_s else {}
        with running(self.file, self.url) as usage, ExitStack() as stack:
            watching = stack.enter_context(_process(watch_pages, self.url, self.viewers, self.deaf))
            if (came := _heard(watching)) != len(self.viewers):
                raise BenchmarkError(f"{came} of {len(self.viewers)} pages are live")
            time.sleep(SETTLE_S)
            reading, writing = self._busy(stack)
            began_s = time.monotonic()
            time.sleep(self.scale.lasts_s)
            lasted_s = time.monotonic() - began_s
            first = _ended(writing), _ended(reading)
            if self.scale.ear_s:
                reading, writing = self._busy(stack)
                ear_ms["with"] = self._ear_ms("with")
                _ended(writing), _ended(reading)
            time.sleep(2)
            frames = _ended(watching)
        if frames.ended:
            raise BenchmarkError(f"{frames.ended} streams ended by themselves")
        return Measured(first[1], frames, first[0], usage, lasted_s, ear_ms)

    def _busy(self, stack: ExitStack) -> tuple[Pipe, Pipe]:
        """Let people read pages, and somebody change what they show; both have begun."""
        reading = stack.enter_context(_process(read_pages, self.url, self.readers, PAUSE_S))
        writing = stack.enter_context(_process(make_changes, self.settings, self.looked_at, EVERY_S))
        for pipe in (reading, writing):
            _heard(pipe)
        return reading, writing

    def _ear_ms(self, name: str) -> float:
        """The 99th percentile of what the ear needs from the end of a call to its committed verdict."""
        pace = sender.SendRate(EAR_RATE, self.scale.ear_s, 1.0)
        stage = Stage(self.folder, self.database, name)
        with stage.sending(2_000, 4):
            offered, listened = stage.service(pace, 2)
        return round(rank(list(steady(offered, listened, pace)) or list(listened.latencies_ms), 0.99), 1)


@contextmanager
def _process(work: Callable[..., None], *about: object) -> Iterator[Pipe]:
    """Run a process meanwhile, with a line to it."""
    ours, theirs = _FRESH.Pipe()
    process = _FRESH.Process(target=work, args=(theirs, *about), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
        process.join(10)
    finally:
        process.kill()
        process.join()
        ours.close()


def _ended(pipe: Pipe) -> Any:  # noqa: ANN401 - whatever it measured
    pipe.send(None)
    return _heard(pipe)


def _heard(pipe: Pipe) -> Any:  # noqa: ANN401 - as above
    try:
        return pipe.recv()
    except EOFError as error:
        raise BenchmarkError("a process of the benchmark ended early: what it said stands above") from error


def figures_of(kind: str, measured: Measured) -> dict[str, float]:
    """The figures by name, those of one database."""
    took_s, lost = measured.fanout_s()
    reads, usage = measured.reads, measured.usage
    pages = {f"{page}_p95_ms": round(rank(took, 0.95), 1) for page, took in sorted(reads.took_ms.items())}
    figures = pages | {
        "fanout_s": round(rank(took_s, 0.99), 3),
        "fanout_p50_s": round(rank(took_s, 0.5), 3),
        "changes": len(measured.changes),
        "never_seen": lost,
        "resyncs": measured.frames.resyncs,
        **{f"ingest_p99_ms_{how}": value for how, value in measured.ear_ms.items()},
        "pages_per_s": round(sum(map(len, reads.took_ms.values())) / measured.lasted_s, 1),
        "rss_mb_first": round(usage.rss_mb[len(usage.rss_mb) // 5], 1),
        "rss_mb": round(usage.rss_mb[-1], 1),
        "cores": round(usage.cpu_s / len(usage.rss_mb), 2),
        "mb_sent": round(measured.frames.bytes / 1e6, 1),
    }
    return {f"{kind}_{name}": value for name, value in figures.items()}


@contextmanager
def databases(folder: Path, kinds: Sequence[str]) -> Iterator[Iterator[tuple[str, str]]]:
    """Give the URL of an empty database of each kind."""
    with ExitStack() as stack:

        def each() -> Iterator[tuple[str, str]]:
            for kind in kinds:
                if kind == "sqlite":
                    yield kind, f"sqlite:///{folder / 'web.db'}"
                else:
                    server = stack.enter_context(postgres.serve(postgres.find(), durable=True))
                    yield kind, server.create("web")

        yield each()


def show(figures: dict[str, float], scale: Scale) -> Table:
    """Make the table of them."""
    title = f"{scale.size.reservations:,} reservations, {scale.size.open:,} open, {scale.streams} streams; {load()}"
    table = Table("figure", *scale.databases, title=title, title_justify="left")
    names = dict.fromkeys(name.partition("_")[2] for name in figures)
    for name in names:
        table.add_row(name, *(f"{figures[f'{kind}_{name}']:,}" for kind in scale.databases))
    return table


def main(arguments: list[str]) -> int:
    """Measure, and print the table and the figures; give the exit status."""
    scale = _scale(arguments)
    figures: dict[str, float] = {}
    try:
        with tempfile.TemporaryDirectory() as name, databases(Path(name), scale.databases) as urls:
            for kind, url in urls:
                folder = Path(name) / kind
                folder.mkdir()
                with Progress(console=Console(stderr=True), transient=True) as progress:
                    task = progress.add_task(f"filling {kind}", total=scale.size.reservations)
                    bench = Bench(url, folder, scale, lambda rows: progress.advance(task, rows))  # noqa: B023 - in here
                figures |= figures_of(kind, bench.measure())
    except BenchmarkError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    Console().print(show(figures, scale))
    print(json.dumps(figures | {"load_average": round(os.getloadavg()[0], 1)}))  # noqa: T201 - for programs
    return 0


def _scale(arguments: list[str]) -> Scale:
    parser = argparse.ArgumentParser(prog="make bench BENCH=web", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small site: shows that it works, measures nothing")
    parser.add_argument(
        "--reservations", type=int, metavar="N", help=f"how many in all; else {WHOLE.size.reservations:,}"
    )
    parser.add_argument("--open", type=int, metavar="N", help="how many of them are open; else one in a hundred")
    parser.add_argument("--streams", type=int, metavar="N", help=f"how many pages are live; else {WHOLE.streams}")
    parser.add_argument("--seconds", type=float, metavar="S", help=f"how long; else {WHOLE.lasts_s:g}")
    parser.add_argument(
        "--ear-seconds", type=float, metavar="S", help=f"how long the ear; 0: not; else {WHOLE.ear_s:g}"
    )
    parser.add_argument("--database", choices=WHOLE.databases, help="one of them alone")
    asked = parser.parse_args(arguments)
    scale = QUICK if asked.quick else WHOLE
    reservations = asked.reservations or scale.size.reservations
    size = scale.size if reservations == scale.size.reservations else Size(reservations, reservations // 100)
    return Scale(
        replace(size, open=asked.open or size.open),
        scale.streams if asked.streams is None else asked.streams,
        scale.lasts_s if asked.seconds is None else asked.seconds,
        scale.ear_s if asked.ear_seconds is None else asked.ear_seconds,
        (asked.database,) if asked.database else scale.databases,
    )
