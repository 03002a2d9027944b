"""How fast a queue_log is imported, hints are found, and commands begin: what an operator waits for at a terminal.

The log is a call centre's of some weeks: four queues, sixty agents who log in and pause, a day with its peaks, callers
who are known and call again; a million lines become calls, redials, peaks and hints. `hints` reads a log of pure
overload. `start_s` is until the first character, at a site where 200 callers wait. Each command is a process of its
own, as an operator runs it; what an import tells is held against what was written, and what this tree tells against
what another (`--base`) tells. Memory is the most that its processes ever had, together.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks import commands, overload
from benchmarks.errors import BenchmarkError
from benchmarks.figures import load

LINES: Final = 1_000_000
OVERLOAD: Final = 150_000
STARTS: Final = ("--help", "queue")
ZONE: Final = "Asia/Tokyo"
BEGINS_AT: Final = 1_790_553_600  # a Monday
QUEUES: Final = ("support", "sales", "orders", "billing")
AGENTS: Final = tuple(f"PJSIP/{number}" for number in range(100, 160))
OPENS, CLOSES = 8, 20
A_DAY: Final = 86_400
CALLS_A_DAY: Final = 9_000
_PEAKS: Final = ((9.5, 0.8), (13.5, 0.7), (19.2, 0.7))  # hours of the day, and how wide they are


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


def checked(told: dict[str, Any], written: Written) -> None:
    """Refuse figures of an import that did not tell what was written."""
    found = {name: told[name] for name in ("answered", "abandoned", "requested", "unfinished")}
    found["blocked"] = sum(told["blocked"].values())
    wanted = {name: written.calls[name] for name in found}
    if found != wanted or told["lines"] != written.lines:
        raise BenchmarkError(f"the import told {found} in {told['lines']} lines, of {wanted} in {written.lines}")


class Measured:
    """What one tree of source needs, run by run."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self.imports: list[float] = []
        self.hints: list[float] = []
        self.starts: dict[str, list[float]] = {name: [] for name in STARTS}
        self.rss_mb = 0.0
        self.said: dict[str, str] = {}  # the last line of each command: trees that are compared must say the same

    def import_log(self, log: Path, written: Written) -> None:
        """Import the log of some weeks."""
        ran = commands.run(self.tree, ["import-queue-log", str(log), "--zone", ZONE, "--json"])
        checked(json.loads(self._said("import", ran.out)), written)
        self.imports.append(ran.took_s)
        self.rss_mb = max(self.rss_mb, ran.rss_mb)

    def hint(self, log: Path) -> None:
        """Ask for hints on the log of overload."""
        ran = commands.run(self.tree, ["hints", str(log), "--zone", ZONE, "--json"])
        self._said("hints", ran.out)
        self.hints.append(ran.took_s)

    def start(self, settings: Path) -> None:
        """Start commands."""
        for name, took_s in self.starts.items():
            more = [] if name.startswith("-") else ["--settings", str(settings)]
            took_s.append(commands.first_character_s(self.tree, [name, *more]))

    def figures(self, lines: int) -> dict[str, Any]:
        """Give the medians."""
        return {
            "lines_per_s": round(lines / median(self.imports)),
            "lines_per_s_best": round(lines / min(self.imports)),
            "hints_s": round(median(self.hints), 2) if self.hints else None,
            "start_s": {name: round(median(took_s), 3) for name, took_s in self.starts.items()},
            "rss_mb": round(self.rss_mb, 1),
        }

    def _said(self, name: str, out: str) -> str:
        self.said[name] = out.splitlines()[-1]
        return self.said[name]


def measured(trees: Sequence[Path], options: argparse.Namespace, folder: Path) -> tuple[list[Measured], Written]:
    """Measure trees in turns, this one last; hints of another, which may take minutes, once."""
    log, overloaded = folder / "queue_log", folder / "overload"
    written = write(log, options.lines)
    overload.write(overloaded, options.overload)
    settings, every = commands.site(folder), [Measured(tree) for tree in trees]
    for one in every:
        one.start(settings)  # what it loads is compiled by that
        one.starts = {name: [] for name in STARTS}
    for number in range(options.rounds):
        for one in every:
            one.import_log(log, written)
            if number == 0 or one is every[-1]:
                one.hint(overloaded)
            one.start(settings)
    if any(one.said != every[-1].said for one in every):
        raise BenchmarkError("the base tells something else of the same logs")
    return every, written


def main(arguments: list[str] | None = None) -> int:
    """Measure, print a table and, last, one line of JSON; give the exit status."""
    parser = argparse.ArgumentParser(prog="make bench BENCH=import", description=__doc__.partition("\n")[0])
    parser.add_argument("--lines", type=int, default=LINES)
    parser.add_argument("--overload", type=int, default=OVERLOAD, metavar="LINES", help="of the log that hints read")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--base", type=Path, help="another tree of the source, measured in turns with this one")
    options = parser.parse_args(arguments)
    trees = [*([options.base] if options.base else []), Path.cwd()]
    try:
        with tempfile.TemporaryDirectory() as folder:
            every, written = measured(trees, options, Path(folder))
    except BenchmarkError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    table = Table("tree", "lines/s", "hints s", *(f"callback {name} s" for name in STARTS), "MB")
    for one in every:
        of = one.figures(written.lines)
        starts = [f"{took_s:.2f}" for took_s in of["start_s"].values()]
        table.add_row(one.tree.name, f"{of['lines_per_s']:,}", str(of["hints_s"]), *starts, f"{of['rss_mb']:.0f}")
    console = Console(file=sys.stdout, width=100)
    console.print(table, f"{written.lines:,} lines, {written.calls.total():,} calls; {load()}")
    figures = every[-1].figures(written.lines) | {"lines": written.lines, "calls": written.calls.total()}
    if options.base:
        figures["base"] = every[0].figures(written.lines)
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0
