"""`make run`: a call centre on a real Asterisk, whose lost callers the service finds, texts and calls back."""

import argparse
import json
import signal
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from lab import fetch
from lab.asterisk import Asterisk
from lab.errors import LabError, NoAsterisk
from lab.fetch import AsteriskTree
from lab.people import AGENTS, People
from lab.recorded import RecordedCentre
from lab.service import Service, clock, daytime_zone

_LOOK_S = 0.1
_INTERRUPTED = 130
_USER = "anna"


class Teller:
    """Writes whole lines to standard output, whoever speaks."""

    def __init__(self) -> None:
        self.zone = daytime_zone(datetime.now(UTC))
        self._lock = threading.Lock()

    def lab(self, text: str) -> None:
        """Tell what the lab does."""
        self.line(f"{clock(self.zone)}  {'lab':<15} {text}")

    def line(self, text: str) -> None:
        """Pass a line on as it is."""
        with self._lock:
            print(text, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run until enough were recovered, the time is over, or somebody stops it; give the exit status."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _run(options, Teller())
    except KeyboardInterrupt:
        print("the lab is stopped; nothing of it is left running", flush=True)
        return 0 if options.until_recovered is None else _INTERRUPTED
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr, flush=True)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lab",
        description="A call centre in a box: agents and customers on a real Asterisk, and the service beside it. "
        "Ctrl-C stops everything.",
    )
    parser.add_argument("--until-recovered", type=int, metavar="N", help="end with status 0 when N were reached")
    parser.add_argument("--seconds", type=float, metavar="S", help="end after S seconds")
    parser.add_argument(
        "--pbx", choices=["asterisk", "recorded"], help="recorded: play streams; the default where no Asterisk is"
    )
    return parser


def _run(options: argparse.Namespace, teller: Teller) -> int:
    started = time.monotonic()
    tree = None if options.pbx == "recorded" else _asterisk(options, teller)
    with ExitStack() as room:
        folder = Path(room.enter_context(tempfile.TemporaryDirectory(prefix="lost-call-lab-")))
        centre = _open(tree, folder, teller, room)
        service = room.enter_context(Service(folder, centre.access, teller.zone, teller.line))
        room.callback(_let_nobody_interrupt)
        teller.lab(f"settings of the service: {service.settings} (its clock: {teller.zone}, where it is day)")
        service.wait_up()
        _invite(teller, service)
        centre.begin()
        done = _watch(service, options, started)
    if options.until_recovered is not None or options.seconds is not None:
        pbx = "recorded" if tree is None else "asterisk"
        seconds = round(time.monotonic() - started, 1)
        teller.line(json.dumps({"pbx": pbx, "recovered": service.recovered, "seconds": seconds}))
    return 0 if done else 1


def _invite(teller: Teller, service: Service) -> None:
    """Say where the service can be watched and asked meanwhile, in words to paste."""
    command = _from_here(Path(sys.executable).with_name("callback"))
    console, password = service.open_console(_USER)
    teller.line(
        "\nIt is listening; customers call from now on. In a browser:\n"
        f"    {console}          # the console\n"
        f"    user {_USER}, password {password}          # for the first time; then choose another\n"
        "In a second terminal, in this directory:\n"
        f"    export CALLBACK_SETTINGS={service.settings}\n"
        f"    {command} queue                # who is owed a callback, and why each still waits\n"
        f"    {command} doctor               # each part proved on this PBX\n"
        f"    {command} --help               # everything else\n"
        "Ctrl-C here ends it all.\n"
    )


def _from_here(path: Path) -> Path:
    """Write a path as short as it can be pasted in the current directory."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _asterisk(options: argparse.Namespace, teller: Teller) -> AsteriskTree | None:
    """Have an Asterisk, or say that there is none and give None; raises `NoAsterisk` where one was asked for."""
    try:
        return fetch.asterisk(say=teller.lab)
    except NoAsterisk as error:
        if options.pbx == "asterisk":
            raise
        teller.lab(f"{error}")
        teller.lab("so this is NO real PBX: recorded streams of an Asterisk are played instead, and no phone rings")
        return None


def _open(tree: AsteriskTree | None, folder: Path, teller: Teller, room: ExitStack) -> People | RecordedCentre:
    if tree is None:
        teller.lab("recorded streams are the PBX")
        return room.enter_context(RecordedCentre(teller.lab))
    queues = {"support": AGENTS}
    pbx = room.enter_context(Asterisk.start(folder / "pbx", agents=AGENTS, queues=queues, tree=tree))
    teller.lab(f"Asterisk {tree.version} is up after {pbx.boot_s:.1f} s, {pbx.memory_mb:.0f} MB; {len(AGENTS)} agents")
    return room.enter_context(People(pbx, teller.lab))


def _watch(service: Service, options: argparse.Namespace, started: float) -> bool:
    """Let it run; whether what was asked for was reached. Raises `LabError` if the service ends by itself."""
    wanted: int | None = options.until_recovered
    while True:
        service.look()
        if wanted is not None and service.recovered >= wanted:
            return True
        if options.seconds is not None and time.monotonic() - started >= options.seconds:
            return wanted is None
        time.sleep(_LOOK_S)


def _let_nobody_interrupt() -> None:
    """What is being taken down is taken down to the end, however often somebody presses Ctrl-C."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
