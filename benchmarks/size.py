"""A day of a large centre by the whole way, in minutes: does anything grow, what does a lost call cost, and many PBXs.

`callback run` listens to each PBX of a centre (`benchmarks/day/centre.py`) on one PostgreSQL that flushes each commit.
Each call is heard, journalled, judged and committed; who is lost is reserved, texted by a gateway that takes all,
called back by a free agent, and settled. Every other second it is looked how much memory the service has; of each call
it is told how long after its grace of a second the transaction began that wrote it down with what follows. At the end
all must be settled, with one callback and no second text each by the centre's own record; who was called back before
the text was due gets none. Limits that such a crowd would meet within minutes (incidents, texts an hour, what callbacks
may cost live callers) are set out of its way.

Beside it in the same run: asterisk-ami reads as many of the same calls, and does nothing with them.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Line
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table
from sqlalchemy import Column, func, select, text

from benchmarks.day import centre, parsed
from benchmarks.day.centre import Day, Held
from benchmarks.day.lived import Lived, Look
from benchmarks.day.services import running
from benchmarks.errors import BenchmarkError
from benchmarks.figures import cpu_s, load, rank, tree_rss_mb
from callback.store import tables as t
from callback.store.engine import Store
from lab import postgres
from scheduler.clock import SECOND
from sms.outbox import text_outbox
from telephony.calls.tracker import GRACE_S

SETTLES_S: Final = 240.0
LOOK_S: Final = 2.0
_FRESH: Final = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class SizeScale:
    """How large a day, in how long, on how many PBXs; and the growth: PBXs, with so many calls of each."""

    calls: int
    lost: int
    lasts_s: float
    pbxs: int = 1
    agents: int = 60


def live(scale: SizeScale, server: postgres.Server, folder: Path, name: str) -> Lived:
    """Let a centre live a day of that size on a new database."""
    url = server.create(name)
    with ExitStack() as stack:
        line = stack.enter_context(_process(centre.run, scale.pbxs, scale.agents))
        ports, gateway = line.recv()
        services = [
            stack.enter_context(running(folder / f"{name}-{number}", url, f"pbx-{number:02d}", port, gateway))
            for number, port in enumerate(ports)
        ]
        store = stack.enter_context(closing(Store(url)))
        _until(lambda: _listens(store, scale.pbxs), services, 120, "not every PBX is listened to")
        before = (_cpu_of(services), _database_cpu(server), _bytes(store))
        began, began_at = time.monotonic(), time.time()
        _asked(line, Day(scale.calls, max(1, scale.calls // scale.lost), scale.lasts_s))
        looks = []
        done, held = False, Held()
        while not done:
            time.sleep(LOOK_S)
            _alive(services)
            looks.append(Look(time.monotonic() - began, sum(tree_rss_mb(one.pid) for one in services)))
            done, held = _asked(line, "how far")
        _until(lambda: _settled(store, held.lost), services, SETTLES_S, "not all is settled")
        took_s = time.monotonic() - began
        _, held = _asked(line, "how far")
        return Lived(
            held,
            looks,
            _lags(store, began_at),
            took_s,
            _cpu_of(services) - before[0],
            _database_cpu(server) - before[1],
            _bytes(store) - before[2],
            _counted(store, t.reservation.c.state),
            _counted(store, t.attempt.c.outcome),
            _counted(store, text_outbox.c.state),
        )


@contextmanager
def _process(work: Callable[..., None], *arguments: object) -> Iterator[Line]:
    ours, theirs = _FRESH.Pipe()
    process = _FRESH.Process(target=work, args=(theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        process.kill()
        process.join()
        ours.close()


def _asked(line: Line, order: Day | str) -> tuple[bool, Held]:
    try:
        line.send(order)
        answer: tuple[bool, Held] = line.recv()
    except (EOFError, BrokenPipeError) as error:
        raise BenchmarkError("the centre ended early: what it said stands above") from error
    return answer


def _until(
    is_so: Callable[[], bool], services: Sequence[subprocess.Popen[bytes]], within_s: float, otherwise: str
) -> None:
    end = time.monotonic() + within_s
    while not is_so():
        _alive(services)
        if time.monotonic() > end:
            sys.stderr.write(f"{otherwise} within {within_s:g} s\n")
            return
        time.sleep(0.5)


def _alive(services: Sequence[subprocess.Popen[bytes]]) -> None:
    if any(one.poll() is not None for one in services):
        raise BenchmarkError("a service has ended by itself")


def _listens(store: Store, pbxs: int) -> bool:
    try:
        with store.read() as connection:
            up = connection.execute(
                select(func.count(t.happened.c.pbx.distinct())).where(t.happened.c.name == "pbx-up")
            )
            return int(up.scalar_one()) == pbxs
    except Exception:  # noqa: BLE001 - its tables are not there yet
        return False


def _settled(store: Store, lost: int) -> bool:
    with store.read() as connection:
        reached = select(func.count()).select_from(t.reservation).where(t.reservation.c.state == "reached")
        waits = select(func.count()).select_from(text_outbox).where(text_outbox.c.state.in_(("waiting", "sending")))
        return int(connection.execute(reached).scalar_one()) >= lost and connection.execute(waits).scalar_one() == 0


def _counted(store: Store, column: Column[str]) -> dict[str, int]:
    with store.read() as connection:
        rows = connection.execute(select(column, func.count()).group_by(column))
        return {str(value): int(count) for value, count in rows}


def _lags(store: Store, began_at: float) -> list[tuple[float, float]]:
    h, c = t.happened.c, t.call.c
    both = select(c.ended_at, h.stored_at).join(t.call, (c.call_id == h.call_id) & (c.pbx == h.pbx))
    grace_us = int(GRACE_S * SECOND)
    with store.read() as connection:
        rows = connection.execute(both.where(h.name == "call", c.ended_at.is_not(None)).order_by(h.stored_at)).all()
    return [(stored_at / SECOND - began_at, (stored_at - ended_at - grace_us) / 1000) for ended_at, stored_at in rows]


def _bytes(store: Store) -> int:
    with store.read() as connection:
        return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())


def _cpu_of(services: Sequence[subprocess.Popen[bytes]]) -> float:
    return sum(_tree_cpu_s(one.pid) for one in services)


def _tree_cpu_s(pid: int) -> float:
    """Give the CPU seconds of a process and of its children that live."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return cpu_s(pid) + sum(_tree_cpu_s(int(child)) for child in children)
    except OSError:
        return 0.0


def _database_cpu(server: postgres.Server) -> float:
    return _tree_cpu_s(int((server.folder / "data/postmaster.pid").read_text().split()[0]))


def _peer_cpu_s(calls: int) -> float:
    """Let asterisk-ami read so many of the same calls, and give the CPU seconds that it used for each thousand."""
    with _process(parsed.run, calls) as line, _process(parsed.peer, int(line.recv())) as peer:
        return float(peer.recv()) / calls * 1000


def _figures(day: Lived, peer_s: float, grown: dict[int, Lived]) -> dict[str, object]:
    lags = [lag for _, lag in day.lags_ms]
    per = day.held.lost / 1000
    service_s = day.cpu_s / day.held.calls * 1000
    return {
        "calls": day.held.calls,
        "lost": day.held.lost,
        "texts": day.texts,
        "took_s": round(day.took_s),
        "sender_late_s": round(day.held.late_s, 1),
        "rss_mb_first": round(day.looks[min(2, len(day.looks) - 1)].rss_mb, 1),
        "rss_mb_last": round(day.looks[-1].rss_mb, 1),
        "rss_slope_mb_per_tenth": round(day.rss_slope_mb(), 2),
        "lag_p50_ms": round(rank(lags, 0.5), 1),
        "lag_p99_ms": round(rank(lags, 0.99), 1),
        "lag_slope_ms_per_tenth": round(day.lag_slope_ms(), 2),
        "cpu_s_per_1000_lost": round(day.cpu_s / per, 1),
        "database_cpu_s_per_1000_lost": round(day.database_cpu_s / per, 1),
        "database_mb_per_1000_lost": round(day.database_bytes / per / 1e6, 2),
        "wall_s_per_1000_lost": round(day.took_s / per, 1),
        "cpu_s_per_1000_calls": round(service_s, 2),
        "asterisk_ami_cpu_s_per_1000_calls": round(peer_s, 2),
        "ratio_to_asterisk_ami": round(service_s / peer_s, 1) if peer_s > 0 else 0.0,
        "cpu_s_per_1000_lost_and_lag_p99_ms_by_pbxs": {
            pbxs: (
                round(one.cpu_s / one.held.lost * 1000, 1),
                round(rank([lag for _, lag in one.lags_ms], 0.99), 1),
                round(one.looks[-1].rss_mb / pbxs, 1),
            )
            for pbxs, one in grown.items()
        },
        "wrong": day.wrong + [f"{pbxs} PBXs: {said}" for pbxs, one in grown.items() for said in one.wrong],
        "load_average": round(os.getloadavg()[0], 1),
    }


def main(arguments: list[str] | None = None) -> int:
    """Live the day, print a table and, last, one line of JSON; give the exit status."""
    options = _options(arguments)
    day = SizeScale(options.calls, options.lost, options.seconds)
    try:
        with postgres.serve(postgres.find(), durable=True) as server, tempfile.TemporaryDirectory() as folder:
            lived = live(day, server, Path(folder), "day")
            sys.stderr.write(f"the day: {_figures(lived, 0.0, {})}\n")
            grown = {}
            for pbxs in options.pbxs:
                calls = options.growth_calls * pbxs
                scale = SizeScale(calls, max(1, calls // 15), options.growth_s, pbxs, 20)
                grown[pbxs] = live(scale, server, Path(folder), f"grown{pbxs}")
                sys.stderr.write(f"{pbxs} PBXs: {_figures(grown[pbxs], 0.0, {})}\n")
            peer_s = _peer_cpu_s(min(options.calls, options.peer_calls))
    except BenchmarkError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    figures = _figures(lived, peer_s, grown)
    shown = Table("second", "memory, MB", title=f"{lived.held.calls:,} calls, {lived.held.lost:,} lost")
    for look in lived.looks[:: max(1, len(lived.looks) // 12)]:
        shown.add_row(f"{look.at_s:.0f}", f"{look.rss_mb:.0f}")
    Console(file=sys.stdout, width=100).print(shown, load())
    sys.stdout.write(json.dumps(figures) + "\n")
    return 1 if figures["wrong"] else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench BENCH=size", description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=300_000)
    parser.add_argument("--lost", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=600, help="in which the day passes")
    parser.add_argument("--pbxs", type=lambda words: tuple(map(int, words.split(","))), default=(), metavar="1,5,20")
    parser.add_argument("--growth-calls", type=int, default=300, help="of each PBX")
    parser.add_argument("--growth-s", type=float, default=30)
    parser.add_argument("--peer-calls", type=int, default=10_000)
    return parser.parse_args(arguments)
