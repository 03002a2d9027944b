"""The command that replays a recorded month in virtual time under several policies, and compares them."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from callback.cli.tables import progress
from callback.errors import CallbackError
from callback.reports.pages import simulation
from scheduler.clock import DAY
from scheduler.policy import CallbackPolicy
from scheduler.simulation import trial
from scheduler.simulation.errors import RecordError
from scheduler.simulation.measures import DayCounts, Measure, measures
from scheduler.simulation.month import Month, prepare
from scheduler.simulation.record import Recorded, read

EPOCH = date(1970, 1, 1)
NEAR = 0.05  # how far the world without callbacks may be off the record
COLUMNS = ("dialled_30", "dialled_60", "reached_30", "reached_60", "inbound_hangups", "lost", "nothing_60")
SHARES = COLUMNS[:5]


def simulate(
    calls: Annotated[Path, typer.Option(help="The recorded calls: CSV with a header, plain or .gz, a line for each.")],
    days: Annotated[str, typer.Option(help="Days of the month that are judged, as in 15-28.")] = "1-31",
    policies: Annotated[str, typer.Option(help="Which policies, by comma.")] = ",".join(trial.POLICIES),
    seeds: Annotated[
        int, typer.Option(min=1, max=100, help="How often each day is simulated, with other random draws.")
    ] = 5,
    without: Annotated[str, typer.Option(help="Types of calls that are no part of it, by comma.")] = "IN",
    draw: Annotated[
        Path | None, typer.Option(help="Draw the pictures of docs/policy.md into this directory (some minutes more).")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, in it one object by policy.")] = False,
) -> None:
    """Replay a month of recorded calls in virtual time, and say what each policy of calling back makes of it.

    Callers come as recorded; how long they wait comes from the agents who were there and from how patient people are.
    Look at `none` first: it must come out as the record did. Working days only (at least half of the usual calls).

    none: nobody is called back. fifo: who was lost first. newest: who was lost last. in_time: the oldest whose
    30 minutes are not over, else the newest within the hour, while one more agent is free. default: the same order,
    while it costs live callers little.

    dialled_30 is the share of lost callers whose phone rang within 30 minutes, reached_30 of those who answered by
    then; inbound_hangups is the share of live calls that hung up. lost and nothing_60 (neither reached nor called
    again within the hour) are counts a day. Intervals hold 95%, by day.

    The file is a record like a bank's of 1999 (Brown et al. 2005), which is not part of this program: a header and
    the columns customer_id, priority, type, date, vru_exit, vru_time, q_start, q_time, outcome (AGENT, HANG or
    PHANTOM), ser_start, ser_time, server. For a site's own queue_log use callback hints.

    Example: callback simulate --calls bank_1999_02.csv.gz --days 15-28 --json
    """
    names = _names(policies)
    month = prepare(_read(calls), frozenset(without.split(",")))
    judged = _judged(month, days)
    results = {name: judge(month, trial.POLICIES[name], judged, seeds, name) for name in names}
    record = trial.recorded(month, judged)
    if as_json:
        told = {name: _as_json(name, figures, record, judged, seeds) for name, figures in results.items()}
        typer.echo(json.dumps(told, indent=2))
    else:
        _show(results, record, judged, seeds)
    if draw is not None:
        simulation.draw(draw, month, judged, seeds, judge)


def judge(
    month: Month, policy: CallbackPolicy | None, days: Sequence[int], seeds: int, name: str
) -> dict[str, Measure]:
    """Simulate all days on all processors, and show how far it is."""
    wanted = trial.trials(month, policy, days, seeds)
    done: list[DayCounts] = []
    with ProcessPoolExecutor() as pool:
        simulated = pool.map(trial.simulate, wanted, chunksize=2)
        done.extend(progress.each_of(name, simulated, len(wanted)))
    return measures(done)


def _read(path: Path) -> list[Recorded]:
    """Read the file; what is wrong with it is one sentence."""
    try:
        with _open(path) as lines:
            return read(lines)
    except RecordError as error:
        raise CallbackError(f"--calls {path}: {error}") from error
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        words = getattr(error, "strerror", None) or str(error)
        raise CallbackError(f"--calls {path}: {words}; name a CSV file of calls, plain or .gz") from error


def _open(path: Path) -> Any:  # noqa: ANN401 - gzip and open give different files of text
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _names(policies: str) -> list[str]:
    names = [name.strip() for name in policies.split(",")]
    unknown = [name for name in names if name not in trial.POLICIES]
    if unknown:
        raise CallbackError(f"--policies: no policy {', '.join(unknown)}; choose from {', '.join(trial.POLICIES)}")
    return names


def _judged(month: Month, days: str) -> tuple[int, ...]:
    """Give the working days among the wanted days of the month."""
    match = re.fullmatch(r"(\d{1,2})(?:-(\d{1,2}))?", days)
    if match is None:
        raise CallbackError(f"--days {days!r} cannot be read: write it as in 15-28")
    working = month.working_days()
    low, high = int(match[1]), int(match[2] or match[1])
    found = tuple(day for day in working if low <= _date(day).day <= high)
    if not found:
        span = f"{_date(working[0])} to {_date(working[-1])}"
        raise CallbackError(f"--days {days}: none of them is a working day of the file, which holds {span}")
    return found


def _date(day: int) -> date:
    return EPOCH + timedelta(days=day // DAY)


def _as_json(
    name: str, figures: dict[str, Measure], record: dict[str, float], days: Sequence[int], seeds: int
) -> dict[str, Any]:
    """One policy's object: figures, their intervals, and for `none` what the record shows."""
    told: dict[str, Any] = {measure: round(one.value, 4) for measure, one in figures.items()}
    told["intervals"] = {measure: [round(one.low, 4), round(one.high, 4)] for measure, one in figures.items()}
    told |= {"seeds": seeds, "days": [_date(day).isoformat() for day in days]}
    if name == "none":
        told["recorded"] = {measure: round(value, 4) for measure, value in record.items()}
    return told


def _show(results: dict[str, dict[str, Measure]], record: dict[str, float], days: Sequence[int], seeds: int) -> None:
    console = Console()
    if "none" in results:
        console.print("Without callbacks, beside the record:")
        for measure, value in record.items():
            console.print(_beside(measure, results["none"][measure].value, value))
    table = Table(
        "policy",
        *(name.replace("_", "\n") for name in COLUMNS),
        title=f"{len(days)} working days, {seeds} seeds; lost from 7:00 to 20:30",
    )
    for name, figures in results.items():
        table.add_row(name, *(_cell(measure, figures[measure]) for measure in COLUMNS))
    console.print(table)


def _beside(measure: str, simulated: float, recorded: float) -> str:
    off = simulated / recorded - 1 if recorded else 0.0
    word = "" if abs(off) <= NEAR else f", more than {NEAR:.0%} off: take the policies' figures with care"
    return f"  {measure}: {simulated:.3f}, recorded {recorded:.3f} ({off:+.1%}{word})"


def _cell(measure: str, one: Measure) -> str:
    if measure in SHARES:
        return f"{one.value:.1%}\n{100 * one.low:.1f}-{100 * one.high:.1f}"
    return f"{one.value:.1f}\n{one.low:.0f}-{one.high:.0f}"
