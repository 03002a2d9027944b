"""`callback probe`: call as a customer, and see whether one is found, texted and called back."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from callback.errors import CallbackError
from callback.probe import report
from callback.probe.run import Outcome, is_open, look_over, run
from callback.probe.settings import Settings, load
from callback.probe.stages import EXITS

_UNITS = {"s": 1, "m": 60, "h": 3600}
_LOOK_S = 30.0


def _seconds(every: str | None) -> float | None:
    if every is None:
        return None
    said = re.fullmatch(r"([1-9][0-9]{0,5})([smh])", every)
    if said is None:
        raise typer.BadParameter(f"{every}: write a number with s, m or h, as in 90m")
    return int(said[1]) * _UNITS[said[2]]


def probe(
    settings: Annotated[
        Path, typer.Option("--settings", "-s", envvar="CALLBACK_PROBE_SETTINGS", help="The probe's own file (TOML).")
    ] = Path("probe.toml"),
    every: Annotated[
        str | None, typer.Option(help="Call again and again, so long after one another: 90m, 3h.", metavar="TIME")
    ] = None,
    textfile: Annotated[
        Path | None, typer.Option(help="Write metrics for node_exporter's textfile collector: …/lcr_probe.prom.")
    ] = None,
    *,
    once: Annotated[bool, typer.Option("--once", help="Call once; so it does without --every, too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Try logins and rights, and call nobody.")] = False,
) -> None:
    """Call as a customer, give up, and see whether one is found, texted and called back: from outside the service.

    docs/probe.md tells all of it. The probe has its own settings file, manager user, library, queue and number of ours.
    No agent and no customer is rung. Standard output gets one JSON object a run, standard error a line a stage with
    cause and remedy.

    Exit status: 0 ok, or closed by its own hours; 1 the service failed; 2 not known, because the probe itself could
    not. What is not ok is passed to the alarms of that file, too.
    """
    pause_s = _seconds(every)
    if once and pause_s is not None:
        raise typer.BadParameter("--once and --every: take one of them")
    wanted = load(settings)
    if pause_s is not None and pause_s < wanted.least_every_s():
        raise CallbackError(
            f"--every {every} would call each number more than a_day = {wanted.call.a_day} times a day, which the"
            f" service's rings_a_day and texts_a_day may not allow: take --every {wanted.least_every_s() / 60:.0f}m, or"
            " give [call] more numbers"
        )
    while True:
        began = time.monotonic()
        status = _look(wanted, textfile, dry_run=dry_run)
        if pause_s is None or dry_run:
            raise typer.Exit(status)
        while (left := began + pause_s - time.monotonic()) > 0 or not is_open(wanted.hours, datetime.now(UTC)):
            time.sleep(min(_LOOK_S, left) if left > 0 else _LOOK_S)


def _look(wanted: Settings, textfile: Path | None, *, dry_run: bool) -> int:
    if not dry_run and not is_open(wanted.hours, datetime.now(UTC)):
        typer.echo(json.dumps({"event": "probe", "result": "closed", "says": "outside of [hours] nobody is called"}))
        return 0
    outcome = look_over(wanted) if dry_run else run(wanted)
    _tell(wanted, outcome, textfile if not dry_run else None)
    return EXITS[outcome.result]


def _tell(wanted: Settings, outcome: Outcome, textfile: Path | None) -> None:
    told = report.facts(outcome)
    typer.echo(json.dumps(told))
    for line in report.lines(outcome):
        typer.echo(line, err=True)
    if outcome.result in {"failed", "unknown"}:
        for fault in report.alarm(wanted.alarms, told):
            typer.echo(f"the alarm was not passed: {fault}", err=True)
    if textfile is not None:  # after the alarm: a disk that is full keeps nobody from being told
        report.write_textfile(textfile, outcome)
