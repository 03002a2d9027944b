"""`make faults`: one thing after another breaks under steady calls, and nobody may be lost, dialled or texted twice."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lab import fetch
from lab.errors import LabError
from lab.faults import ledger, report, run
from lab.faults.accounting import account
from lab.faults.catalogue import FAULTS, Fault, chosen
from lab.faults.records import Seen
from lab.faults.report import Result
from lab.faults.site import Plan, Site

_EPILOG = """\
Two pbx nodes, two text nodes and a web node run beside a real Asterisk, a PostgreSQL that keeps what it says it keeps,
a Redis, and a fake gateway. Customers call all the time; half of them are lost. While they do, one fault after another
strikes. What was lost is told from the phones' and the gateway's own records:

  lost           a caller who gave up, was let go, was cut off or heard silence, and has no reservation and no reason
  double_dials   a ring that no attempt allows, or sooner than the rules allow, or after the customer was reached
  double_texts   a text that went out twice for one cause
  recovered_s    seconds from the strike to the first verdict, callback and text for somebody lost since, and the door

examples:
  make faults                                             all of them, about twelve minutes; the last line is JSON
  make faults ARGS='ami-cut database-paused'              these two
  make faults ARGS='--keep /tmp/faults pbx-killed'        and look at what each node said afterwards
  make faults ARGS=--write                                all, with the figures put into docs/reliability.md

The status is 0 when nobody was lost, dialled twice or texted twice, and everything went on after each fault.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the faults that are asked for; 0 where nothing was found wrong."""
    options = _parser().parse_args(arguments)
    if options.list:
        for fault in FAULTS:
            print(f"{fault.name:26}{fault.words}{' (needs root)' if fault.disk else ''}")
        return 0
    try:
        result = _run(options)
    except LabError as error:
        print(f"faults: {error}", file=sys.stderr, flush=True)
        return 2
    except KeyboardInterrupt:
        print("stopped; nothing of it is left running", flush=True)
        return 130
    if options.write:
        report.write(result)
    print("\n".join(report.lines(result)), flush=True)
    return 0 if result.right else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make faults", description=__doc__, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("fault", nargs="*", help="these faults alone; all of them without a name")
    parser.add_argument("--list", action="store_true", help="name the faults, and end")
    parser.add_argument("--seed", type=int, default=1, help="of chance: who calls when, and what they do")
    parser.add_argument("--rate", type=float, default=Plan().calls_per_s, metavar="R", help="calls a second")
    parser.add_argument("--seconds", type=float, default=8, metavar="S", help="of calls before the first fault")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave settings, lines and events of the nodes there")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/reliability.md")
    return parser


def _run(options: argparse.Namespace) -> Result:
    faults = chosen(options.fault)
    say, began = _teller(), time.monotonic()
    tree = fetch.asterisk(say=say)
    with tempfile.TemporaryDirectory(prefix="lcr-faults-") as name:
        folder = Path(name)
        try:
            with Site(folder, tree, Plan(options.seed, options.rate), say) as site:
                return _struck(site, faults, options, began)
        finally:
            if options.keep:
                _keep(folder, options.keep)


def _struck(site: Site, faults: list[Fault], options: argparse.Namespace, began: float) -> Result:
    site.say("the site is whole: customers call from now on")
    site.centre.begin()
    time.sleep(options.seconds)
    struck = []
    for fault in faults:
        if fault.disk and not site.disks:
            site.say(f"{fault.name}: left out, because a disk of its own needs root")
            continue
        struck.append(run.strike(site, fault))
    run.calm(site)
    for ended in site.nodes.ended:
        site.say(f"by itself: {ended}")
    seen = Seen(tuple(site.centre.calls), tuple(site.centre.rings), tuple(site.gateway.texts()))
    books = ledger.read(site.database)
    (site.folder / "records.said").write_text(
        "\n".join(map(repr, (*seen.calls, *seen.rings, *seen.texts, *books.rows())))
    )
    found = account(seen, books, site.terms)
    return Result(options.seed, time.monotonic() - began, seen, found, tuple(struck))


def _teller() -> Callable[[str], None]:
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {text}", flush=True)

    return say


def _keep(folder: Path, into: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    for file in [*folder.glob("*.said"), *folder.glob("*.jsonl"), *folder.glob("*.toml"), folder / "pbx/log/queue_log"]:
        if file.exists():
            shutil.copy(file, into)
            os.chmod(into / file.name, 0o600)  # noqa: PTH101 - numbers of made-up people, and secrets of this run


if __name__ == "__main__":
    sys.exit(main())
