"""How fast a site's queue_log is imported: a million lines become calls, redials, peaks and hints.

The log is a call centre's of some weeks: four queues, sixty agents who log in and pause, a day with its peaks, callers
who are known and call again. The import runs as a process of its own, as an operator runs it; its last line of JSON
is held against what was written. Memory is the most that its processes ever had, together.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.errors import BenchmarkError
from benchmarks.figures import load, tree_rss_mb

LINES: Final = 1_000_000
BEGINS_AT: Final = 1_790_553_600  # a Monday
QUEUES: Final = ("support", "sales", "orders", "billing")
AGENTS: Final = tuple(f"PJSIP/{number}" for number in range(100, 160))
OPENS, CLOSES = 8, 20
A_DAY: Final = 86_400
CALLS_A_DAY: Final = 9_000
_PEAKS: Final = ((9.5, 0.8), (13.5, 0.7), (19.2, 0.7))  # hours of the day, and how wide they are
_EVERY_S: Final = 0.02


@dataclass(slots=True)
class Written:
    """What was written: lines, and calls by what became of them."""

    lines: int = 0
    calls: Counter[str] = field(default_factory=Counter)


def write(path: Path, lines: int, seed: int = 1) -> Written:
    """Write a log of just so many lines; a call whose end came too late for them is unfinished."""
    written = Written()
    ends = {
        "ENTERQUEUE": "unfinished",
        "ABANDON": "abandoned",
        "EXITWITHTIMEOUT": "blocked",
        "EXITWITHKEY": "requested",
    }
    ends |= {"COMPLETECALLER": "answered", "COMPLETEAGENT": "answered"}
    state: dict[str, str] = {}
    with path.open("w", encoding="utf-8") as log:
        for _, _, line in _lines(random.Random(seed)):  # noqa: S311 - a made-up log
            log.write(line)
            written.lines += 1
            _, call_id, _, _, event, *_ = line.split("|", 5)
            if event in ends:
                state[call_id] = ends[event]
                if event != "ENTERQUEUE":
                    written.calls[state.pop(call_id)] += 1
            if written.lines == lines:
                break
    written.calls["unfinished"] += len(state)
    return written


def _lines(chance: random.Random) -> Iterator[tuple[float, int, str]]:
    """Give the lines of one day after the other, by time."""
    serial = 0
    known = [f"090{number:08d}" for number in chance.sample(range(10**8), 40_000)]
    while True:
        midnight = BEGINS_AT + serial // CALLS_A_DAY * A_DAY
        agents = [
            (
                midnight + OPENS * 3600 + place,
                -1,
                _line(midnight + OPENS * 3600 + place, "NONE", queue, agent, "ADDMEMBER|"),
            )
            for place, agent in enumerate(AGENTS)
            for queue in QUEUES
        ]
        leaving = [
            (
                midnight + CLOSES * 3600 + 1800,
                0,
                _line(midnight + CLOSES * 3600 + 1800, "NONE", queue, agent, "REMOVEMEMBER|"),
            )
            for agent in AGENTS
            for queue in QUEUES
        ]
        came = sorted(midnight + _time_of_day(chance) for _ in range(CALLS_A_DAY))
        calls = []
        for at in came:
            serial += 1
            calls.append(_call(at, serial, known, chance))
        yield from sorted([*agents, *leaving, *(line for call in calls for line in call)])


def _time_of_day(chance: random.Random) -> float:
    hour, width = chance.choice(_PEAKS) if chance.random() < 0.5 else ((OPENS + CLOSES) / 2, 3.0)  # noqa: PLR2004
    return min(max(chance.gauss(hour, width), OPENS + 0.1), CLOSES) * 3600


def _call(at: float, serial: int, known: Sequence[str], chance: random.Random) -> list[tuple[float, int, str]]:
    call_id, queue, agent = f"{int(at)}.{serial}", chance.choice(QUEUES), chance.choice(AGENTS)
    number = chance.choice(known)
    lines: list[tuple[float, int, str]] = []

    def put(after_s: float, who: str, what: str) -> None:
        lines.append((at + after_s, serial * 8 + len(lines), _line(at + after_s, call_id, queue, who, what)))

    if chance.random() < 0.3:  # noqa: PLR2004 - a share
        put(0, "NONE", "DID|0312345678")
    put(0, "NONE", f"ENTERQUEUE||{number}|{chance.randint(1, 9)}")
    waited_s, talk_s, fate = chance.expovariate(1 / 40), chance.expovariate(1 / 180), chance.random()
    if chance.random() < 0.3:  # noqa: PLR2004 - a share
        put(waited_s / 2, agent, f"RINGNOANSWER|{chance.randint(1000, 20000)}")
    if fate < 0.8:  # noqa: PLR2004 - a share
        put(waited_s, agent, f"CONNECT|{waited_s:.0f}|{int(at)}.{serial + 1}|3")
        put(waited_s + talk_s, agent, f"COMPLETE{chance.choice(('CALLER', 'AGENT'))}|{waited_s:.0f}|{talk_s:.0f}|1")
    else:
        end = "ABANDON|1|3" if fate < 0.95 else "EXITWITHTIMEOUT|1|3" if fate < 0.98 else "EXITWITHKEY|1|1|3"  # noqa: PLR2004 - shares
        put(waited_s, "NONE", f"{end}|{waited_s:.0f}")
    return lines


def _line(at: float, call_id: str, queue: str, agent: str, event: str) -> str:
    return f"{math.floor(at)}|{call_id}|{queue}|{agent}|{event}\n"


@dataclass(frozen=True, slots=True)
class Run:
    """One import: how long it took, the most memory that it had, and what it told."""

    took_s: float
    rss_mb: float
    told: dict[str, object]


def run(path: Path) -> Run:
    """Import a log as an operator does."""
    command = [sys.executable, "-m", "callback", "import-queue-log", str(path), "--zone", "Asia/Tokyo", "--json"]
    began, most = time.monotonic(), 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own program
        while process.poll() is None:
            most = max(most, tree_rss_mb(process.pid))
            time.sleep(_EVERY_S)
        took_s = time.monotonic() - began
        out, err = process.communicate()
    if process.returncode:
        raise BenchmarkError(f"the import failed: {err.strip()}")
    return Run(took_s, most, json.loads(out.splitlines()[-1]))


def checked(ran: Run, written: Written) -> None:
    """Refuse figures of an import that did not tell what was written."""
    blocked = ran.told["blocked"]
    told = {name: ran.told[name] for name in ("answered", "abandoned", "requested", "unfinished")}
    told["blocked"] = sum(blocked.values()) if isinstance(blocked, dict) else 0
    wanted = {name: written.calls[name] for name in told}
    if told != wanted or ran.told["lines"] != written.lines:
        raise BenchmarkError(f"the import told {told} in {ran.told['lines']} lines, of {wanted} in {written.lines}")


def main(arguments: list[str] | None = None) -> int:
    """Measure, print a table and, last, one line of JSON; give the exit status."""
    parser = argparse.ArgumentParser(prog="make bench BENCH=import", description=__doc__.partition("\n")[0])
    parser.add_argument("--lines", type=int, default=LINES)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "queue_log"
            written = write(path, options.lines)
            runs = [run(path) for _ in range(options.rounds)]
            for ran in runs:
                checked(ran, written)
    except BenchmarkError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    best = min(runs, key=lambda ran: ran.took_s)
    table = Table("run", "s", "lines/s", "MB")
    for number, ran in enumerate(runs, 1):
        table.add_row(str(number), f"{ran.took_s:.1f}", f"{written.lines / ran.took_s:,.0f}", f"{ran.rss_mb:.0f}")
    console = Console(file=sys.stdout, width=100)
    console.print(table, f"{written.lines:,} lines, {written.calls.total():,} calls; {load()}")
    median = sorted(ran.took_s for ran in runs)[len(runs) // 2]
    figures = {
        "lines_per_s": round(written.lines / median),
        "lines_per_s_best": round(written.lines / best.took_s),
        "seconds": round(median, 2),
        "rss_mb": round(max(ran.rss_mb for ran in runs), 1),
        "lines": written.lines,
        "calls": written.calls.total(),
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0
