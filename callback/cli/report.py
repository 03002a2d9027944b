"""`callback hints` and `callback report`: from imported logs, or the service's database, to rosters."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from callback.cli.import_log import NO_END, LogZone, Zone, site_zone, store_named, with_progress
from callback.cli.options import found_settings, in_force, no_option
from callback.cli.tables import progress, terminal
from callback.cli.tables import report as report_tables
from callback.cli.tables import week as week_table
from callback.clock import now_us
from callback.errors import CallbackError
from callback.garbage import without_gc
from callback.history.counts import History, site_demand
from callback.history.importing import sources
from callback.history.past_calls import past_calls, stints
from callback.reports import rates as promise_rates
from callback.reports import week
from callback.reports import words as report_words
from callback.reports.pages import report as report_page
from callback.reports.pages.html import Table
from callback.reports.rates import Rates
from callback.reports.week import Week
from callback.store import schema
from callback.store.engine import Store
from scheduler import clock
from scheduler.clock import DAY, local
from scheduler.hours import Hours
from scheduler.staffing.learning import peaks
from scheduler.staffing.learning.accuracy import Accuracy, by_horizon
from scheduler.staffing.learning.peaks import Cell
from scheduler.staffing.planning import roster

Logs = Annotated[
    list[str] | None, typer.Argument(metavar="[FILE...]", help="Files of a queue_log, as for import-queue-log.")
]
Wiring = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        "-s",
        callback=no_option,
        help="The settings; without FILEs, their database tells. Where nothing is named to be read: "
        "CALLBACK_SETTINGS, or callback.toml.",
    ),
]
Url = Annotated[str | None, typer.Option("--database", callback=no_option, help="Another database than the settings'.")]
RosterFile = Annotated[
    Path | None,
    typer.Option(
        "--roster",
        callback=no_option,
        help="Who is to work when, a CSV file in any sensible shape; else as on the last weeks.",
    ),
]
From = Annotated[str | None, typer.Option("--from", help="The first day, as in 2026-11-23; by default after the last.")]
Days = Annotated[int, typer.Option(min=1, max=28, help="How many days.")]
Proofs = Annotated[int, typer.Option(min=0, max=500, help="For how many hints past days are replayed.")]
Shrinkage = Annotated[float, typer.Option(min=0, max=0.9, help="The share of rostered time that nobody works.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object, in the last line.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="A line for each half hour of each queue.")]
A_FORTNIGHT = 15  # days, to judge a week's forecast by the week before


@without_gc()
def hints(
    files: Logs = None,
    settings: Wiring = None,
    database: Url = None,
    roster_file: RosterFile = None,
    first: From = None,
    days: Days = 7,
    proofs: Proofs = 10,
    shrinkage: Shrinkage = 0.0,
    zone: Zone = None,
    log_zone: LogZone = None,
    *,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Say where agents are missing in the week to come, and on how many past weekdays it would have held.

    Need is for live callers (80% within 20 s, 5% hang up at most) and for callbacks besides. The weightiest hints are
    proved by replaying the same weekdays of the past under the rules of the promise, with the hint and without.

    Example: callback hints /var/log/asterisk/queue_log* --roster roster.csv
    """
    history, hours, _, _ = _gathered(files, settings, database, zone, log_zone)
    made = _week(history, hours, roster_file, first, days, shrinkage)
    made.prove(0 if as_csv else proofs, _tracked)
    if as_csv:
        _as_csv(made)
    elif as_json:
        terminal.put_json(_week_json(made))
    else:
        _show_week(Console(), made)


@without_gc()
def report(
    files: Logs = None,
    settings: Wiring = None,
    database: Url = None,
    roster_file: RosterFile = None,
    first: From = None,
    days: Days = 7,
    proofs: Proofs = 5,
    shrinkage: Shrinkage = 0.0,
    zone: Zone = None,
    log_zone: LogZone = None,
    html: Annotated[
        Path | None, typer.Option(callback=no_option, help="Write one page with pictures, which needs nothing else.")
    ] = None,
    site: Annotated[
        str | None, typer.Option(callback=no_option, help="Whose page it is, above it; by default the PBX's name.")
    ] = None,
    since_days: Annotated[int, typer.Option(min=1, max=3660, help="Promises of so many days.")] = 28,
    *,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Report calls, losses, peaks, how promises were kept, how good the forecast is, and the week to come.

    Example: callback report --settings callback.toml --html report.html
    """
    history, hours, kept, pbx = _gathered(files, settings, database, zone, log_zone, since_days)
    made = _week(history, hours, roster_file, first, days, shrinkage)
    made.prove(0 if as_csv else proofs, _tracked)
    demand = site_demand(made.queues.values())
    cells = peaks.heat_map(demand, holidays=history.holidays)
    off = by_horizon(demand.calls, history.holidays) if len(demand.calls) >= A_FORTNIGHT else []
    if html is not None:
        about = report_page.About(pbx if site is None else site, local(now_us(), history.zone), since_days)
        _write(html, report_page.page(about, history, cells, made, kept, _off_table(off)))
    if as_csv:
        _as_csv(made)
    elif as_json:
        told = history.site().as_json() | {"queues": {name: one.as_json() for name, one in history.queues.items()}}
        rates = {one.queue or "all": one.as_json() for one in kept}
        forecast = [{name: getattr(row, name) for name in Accuracy.__slots__} for row in off]
        told |= {"peaks": peaks.words(cells), "promises": rates, "forecast": forecast} | _week_json(made)
        terminal.put_json(told)
    elif html is None:
        _show_report(Console(), history, cells, kept, off)
        _show_week(Console(), made)
    else:
        typer.echo(f"{html} is written")


def _gathered(
    files: Sequence[str] | None,
    settings: Path | None,
    database: str | None,
    zone: str | None,
    log_zone: str | None,
    since_days: int = 28,
) -> tuple[History, Hours, list[Rates], str]:
    """Read the logs, or else the database: history, the site's hours, how promises were kept, the PBX."""
    if settings is None and database is None and not files:
        settings = found_settings()
    wiring = in_force(settings) if settings is not None else None
    history = History(site_zone(zone, wiring), wiring.rules.hours().holidays if wiring else ())
    hours = wiring.rules.hours() if wiring else Hours(history.zone)
    named = store_named(database, wiring)
    pbx = wiring.pbx.name if wiring else None
    kept: list[Rates] = []
    if named is not None:
        with closing(named) as store:
            if store.is_there:
                schema.migrate(store)
                kept = _from_database(store, history, pbx, whole=not files, since_days=since_days)
    if files:
        imported = with_progress(
            sources(
                files,
                "main",
                clock.zone(log_zone) if log_zone else history.zone,
                tuple(wiring.trunks.values()) if wiring else (),
            ),
            history,
            10,
        )
        report_tables.show(Console(stderr=True), report_words.faults(imported))
    elif named is None:
        raise CallbackError(
            "nothing to read: name files of a queue_log, or --settings (there is no callback.toml here), or --database"
        )
    if not history.last_at:
        remedy = "those files hold none" if files else "import a log first, or name its files"
        raise CallbackError(f"no call is known: {remedy}")
    return history, hours, kept, pbx or ""


def _from_database(store: Store, history: History, pbx: str | None, *, whole: bool, since_days: int) -> list[Rates]:
    with store.read() as connection:
        if whole:
            for call in past_calls(connection, pbx):
                history.add(call)
            for stint in stints(connection):
                history.logged_in(stint)
        now = now_us()
        kept = promise_rates.rates(connection, pbx, now - since_days * DAY, now)
    return kept if kept[0].valid or kept[0].refused else []


def _week(
    history: History, hours: Hours, roster_file: Path | None, first: str | None, days: int, shrinkage: float
) -> Week:
    try:
        begins = week.first_day(history) if first is None else date.fromisoformat(first)
    except ValueError as error:
        raise CallbackError(f"--from {first}: {error}; write it as in 2026-11-23") from error
    planned = None
    if roster_file is not None:
        try:
            planned = roster.read(roster_file.read_bytes())
        except OSError as error:
            raise CallbackError(f"--roster {roster_file}: {error.strerror}; name a CSV file") from error
    return Week(history, hours, begins, planned, days, shrinkage)


def _tracked(pairs: Sequence[Any]) -> Iterator[Any]:
    return progress.tracked("replaying past days", pairs)


def _as_csv(made: Week) -> None:
    writer = csv.DictWriter(sys.stdout, ["queue", "day", "time", "calls", "losses", "needed", "planned", "more"])
    writer.writeheader()
    for each in made.outlooks:
        writer.writerows(week.half_hour_rows(each))


def _week_json(made: Week) -> dict[str, Any]:
    days = sorted({each.day for each in made.outlooks})
    plans = {day.isoformat(): week.plan_spoken(day, plan) for day in days if (plan := made.plan(day))}
    attendance = made.staff.attendance
    return {
        "zone": made.history.zone.key,
        "hints": [week.hint_json(each, hint) for each in made.outlooks for hint in each.hints],
        "half_hours": [row for each in made.outlooks for row in week.half_hour_rows(each)],
        "moves": plans,
        "roster": "file" if made.roster is not None else "log",
        "agents": attendance.agents,
        "agents_read_off_calls": attendance.read_off,
    }


def _show_week(console: Console, made: Week) -> None:
    show = report_tables.show
    attendance = made.staff.attendance
    whose = "the roster" if made.roster is not None else "who was there on the last same weekdays"
    until = made.first + timedelta(days=made.days - 1)
    show(console, [f"held against {whose}"], f"Agents, {made.first:%a %d %b} to {until:%a %d %b}")
    show(console, [week_table.KEY if made.outlooks else f"too little to say: {NO_END}"])
    for queue, table, words in week_table.tables(made.outlooks):
        show(console, words, queue)
        if table is not None:
            terminal.put(table)
    proofs = list(made.proofs_spoken())
    show(console, proofs or ["no hint asks for more"], "What the past says of the weightiest")
    days = sorted({each.day for each in made.outlooks})
    moves = [line for day in days if (plan := made.plan(day)) for line in week.plan_spoken(day, plan)]
    show(console, moves or ["nothing to move"], "Moves before additions")
    if not attendance.agents and made.roster is None:
        show(console, ["nobody is known to have been at work: name a roster with --roster"])
    elif attendance.read_off:
        unseen = f"{attendance.read_off} of {attendance.agents} agents"
        show(console, [f"{unseen} never log in or out: when they were there is read off their calls"])


def _show_report(
    console: Console, history: History, cells: Sequence[Cell], kept: Sequence[Rates], off: Sequence[Accuracy]
) -> None:
    show = report_tables.show
    show(console, [report_words.span_said(history)])
    terminal.put(report_tables.counts(history))
    show(console, report_words.reasons(history.site()))
    show(console, [], "Losses")
    console.print(report_tables.heat(cells))
    show(console, report_words.peaks_said(cells))
    if kept:
        show(
            console, report_words.kept_said(kept), "How promises were kept, each reservation by the promise that counts"
        )
    if off:
        show(console, report_words.off_said(off), "How far the forecast has been off")


def _off_table(off: Sequence[Accuracy]) -> Table:
    head = ["horizon", "forecast", "last week", "mean of all days", "chance alone", "half hours"]
    shares = [[row.forecast, row.last_week, row.all_days, row.chance] for row in off]
    rows = [
        [row.horizon, *(f"{share:.0%}" for share in of), str(row.half_hours)]
        for row, of in zip(off, shares, strict=True)
    ]
    return head, rows


def _write(path: Path, page: str) -> None:
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise CallbackError(f"--html {path}: {error.strerror}; name a file that can be written") from error
