"""What the `eventfilter` that we ship saves, on the lab's Asterisk: events, bytes, its CPU and ours.

The same calls come to one Asterisk with each filter in turns: half of the callers give up, half are put through and
talk. What is filtered is what one session of the service's user gets; its reader is the ear alone (`telephony.Pbx`),
a process of its own. Asterisk's CPU is counted as a whole, in which voice and SIP weigh most, and for the one thread
that filters and sends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.figures import cpu_s, load
from lab.asterisk import Asterisk
from lab.errors import LabError
from lab.phone import answer
from telephony import parsing
from telephony.dialling.dialler import KINDS
from telephony.listening.journal import Journal
from telephony.pbx import Consumer, Pbx, Stretch, Wiring

AGENTS: Final = tuple(f"agent{number}" for number in range(1, 13))
Account = tuple[str, int, str, str]
TALK_S: Final = 2.0
WAIT_S: Final = 1.0
"""How long a caller talks, or waits before giving up."""
IDLE_S: Final = 3.0
OLD: Final = 16
"""The Asterisk that knows no filter by name."""
_SHIPPED: Final = re.compile(r"^eventfilter.*\n", re.MULTILINE)
_READ: Final = sorted(kind.decode() for kind in {*parsing.LOOKS, *KINDS} - {b"VarSet"})
BY_NAME: Final = "".join(
    [
        *(f"eventfilter(name({kind})) =\n" for kind in [*_READ, "FullyBooted"]),
        "eventfilter(name(VarSet),header(Variable),method(exact)) = QUEUESTATUS\n",
        "eventfilter(name(VarSet),header(Variable),method(exact)) = RTPAUDIOQOS\n",
    ]
)
"""The same as what we ship, in the form that Asterisk has from 18.26, 20.11, 21.6 and 22.1 on."""


@dataclass(frozen=True, slots=True)
class Used:
    """What a number of calls came to, each figure for one call."""

    events: float
    kb: float
    asterisk_ms: float  # CPU of Asterisk
    session_ms: float  # of that, the thread that filters and sends
    ear_ms: float  # CPU of ours, less what it uses when nobody calls


class Ear:
    """The process that listens."""

    def __init__(self, pbx: Asterisk, folder: Path) -> None:
        self._line, theirs = multiprocessing.Pipe()
        account = (pbx.host, pbx.ami_port, pbx.username, pbx.secret)
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=_listen, args=(theirs, account, folder), daemon=True)
        self._process.start()
        self._line.recv()

    def look(self) -> tuple[int, int, float]:
        """Give messages, bytes and CPU seconds so far."""
        self._line.send(True)
        messages, size, used_s = self._line.recv()
        return messages, size, used_s

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.join()


def _listen(line: Connection, account: Account, folder: Path) -> None:
    asyncio.run(_hear(line, account, folder))


async def _hear(line: Connection, account: Account, folder: Path) -> None:
    async def ignore(_stretch: Stretch) -> None:
        """Take what was told."""

    with closing(Journal(folder, max_bytes=1 << 26)) as journal:
        up = asyncio.Event()
        wiring = Wiring("lab", *account, trunks=("PJSIP/trunk-",))
        pbx = Pbx(
            wiring, journal, lambda: 10, Consumer(ignore, lambda state, _why: up.set() if state == "up" else None)
        )
        running = asyncio.create_task(pbx.run())
        await asyncio.wait([running, asyncio.create_task(up.wait())], return_when=asyncio.FIRST_COMPLETED)
        line.send(True)
        while not running.done():
            await asyncio.to_thread(line.recv)
            line.send((pbx.stats.messages, pbx.stats.bytes, time.process_time()))


def _ran_s(pid: int, threads: set[str]) -> float:
    """Give the CPU seconds of these threads of a process."""
    return sum(int(Path(f"/proc/{pid}/task/{one}/schedstat").read_text().split()[0]) for one in threads) / 1e9


def _threads(pid: int) -> set[str]:
    return {path.name for path in Path(f"/proc/{pid}/task").iterdir()}


@contextmanager
def _centre(version: int) -> Iterator[Asterisk]:
    """Have an Asterisk with agents who answer; its own console hears no events."""
    queues = {"support": AGENTS, "sales": ()}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        pbx = stack.enter_context(Asterisk.start(folder, version=version, agents=AGENTS, queues=queues))
        for agent in AGENTS:
            stack.enter_context(pbx.phone(agent, answer(0.1, talk_s=TALK_S)))
        pbx.action("Events", EventMask="off")
        yield pbx


def measure(pbx: Asterisk, filters: str, calls: int, every_s: float) -> Used:
    """Let so many calls come, and count."""
    user = pbx.run_dir / "etc" / "manager_lcr.conf"
    user.write_text(_SHIPPED.sub("", user.read_text()) + filters)
    pbx.command("manager reload")
    idle = _threads(pbx.pid)
    with tempfile.TemporaryDirectory() as folder, closing(Ear(pbx, Path(folder))) as ear, pbx.carrier() as carrier:
        session = _threads(pbx.pid) - idle
        idle_share = _idle_share(ear)
        before = (*ear.look(), cpu_s(pbx.pid), _ran_s(pbx.pid, session))
        begun_at = time.monotonic()
        for number in range(calls):
            time.sleep(max(0.0, begun_at + number * every_s - time.monotonic()))
            call = carrier.call("505" if number % 2 else "500", caller=f"0903{number:07d}")
            if number % 2:
                carrier.loop.call(partial(carrier.loop.later, WAIT_S, call.hang_up))
        pbx.wait_quiet()
        time.sleep(1)  # the last events are on their way
        after = (*ear.look(), cpu_s(pbx.pid), _ran_s(pbx.pid, session))
        idle_s = idle_share * (time.monotonic() - begun_at)
    events, size, ear_s, asterisk_s, session_s = ((now - then) / calls for now, then in zip(after, before, strict=True))
    return Used(events, size / 1e3, asterisk_s * 1e3, session_s * 1e3, ear_s * 1e3 - idle_s * 1e3 / calls)


def _idle_share(ear: Ear) -> float:
    """Give the share of a core that the ear uses when nobody calls."""
    used_s, at = ear.look()[2], time.monotonic()
    time.sleep(IDLE_S)
    return (ear.look()[2] - used_s) / (time.monotonic() - at)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the table and, last, one line of JSON; give the exit status."""
    parser = argparse.ArgumentParser(prog="make bench BENCH=eventfilter", description=__doc__.partition("\n")[0])
    parser.add_argument("--version", type=int, default=22, choices=(OLD, 22), help="of Asterisk")
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--every", type=float, default=0.1, metavar="S", help="seconds from one call to the next")
    options = parser.parse_args(arguments)
    try:
        with _centre(options.version) as pbx:
            shipped = "".join(_SHIPPED.findall((pbx.run_dir / "etc" / "manager_lcr.conf").read_text()))
            filters = {"none": "", "shipped": shipped, **({"by name": BY_NAME} if options.version != OLD else {})}
            measured: dict[str, list[Used]] = {name: [] for name in filters}
            for _ in range(options.rounds):
                for name, lines in filters.items():
                    measured[name].append(measure(pbx, lines, options.calls, options.every))
    except LabError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    medians = {
        name: {key: round(statistics.median(asdict(one)[key] for one in runs), 2) for key in asdict(runs[0])}
        for name, runs in measured.items()
    }
    table = Table(
        "filter", *medians["none"], title=f"For one call, on Asterisk {options.version}", title_justify="left"
    )
    for name, figures in medians.items():
        table.add_row(name, *(f"{value:,.2f}" for value in figures.values()))
    console = Console(file=sys.stdout, width=100)
    console.print(table)
    console.print(load())
    sys.stdout.write(json.dumps({"version": options.version, "calls": options.calls, **medians}) + "\n")
    return 0
