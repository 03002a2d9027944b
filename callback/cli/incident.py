"""`callback incident …`: what many lost calls have in common, and what a person decides about all of them at once."""

from __future__ import annotations

import math
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from callback.cli.options import DEFAULT, SettingsFile, Who, Why, in_force, reading
from callback.cli.tables import terminal
from callback.clock import now_us, user
from callback.losses import incidents
from callback.reports import incidents as incident_report
from callback.reports.incidents import Incident
from callback.settings.sections import load
from callback.site.context import current
from callback.site.work import transact
from callback.store.audit import By
from callback.store.engine import HIGHEST
from callback.store.keys import store_of
from scheduler.clock import local
from scheduler.incident import drain_s

app = typer.Typer(
    help="Many losses with one cause: nobody is called or texted for them until they have passed. By itself: the list."
)
Most = Annotated[int, typer.Option(min=1, max=1000, help="At most so many, the newest first.")]

Number = Annotated[int, typer.Argument(min=1, max=HIGHEST, help="The incident, as `callback incident` numbers it.")]


@app.callback(invoke_without_command=True)
def by_itself(context: typer.Context, settings: SettingsFile = DEFAULT, *, limit: Most = 20) -> None:
    """Show the newest incidents; `callback incident release` and `drop` decide about one."""
    if context.invoked_subcommand is None:
        show(settings, limit=limit)


@app.command("list")
def show(settings: SettingsFile = DEFAULT, *, limit: Most = 20) -> None:
    """Show the newest incidents: since when, how many were lost, are let go already, and are held still.

    For those held it says how long it takes to let them go at the set rate (incident_drain_per_min), from now on, and
    how many promises break meanwhile.
    """
    wiring = in_force(settings)
    zone, rate = wiring.rules.hours().zone, wiring.rules.incident_drain_per_min
    with reading(wiring) as work:
        rows = incident_report.incidents(work, limit)
        drains = [_drain(row, rate, incident_report.breaks(work, row.incident)) for row in rows]
    if not rows:
        terminal.say("There was no incident.")
        return
    heads = ("#", "queue/reason/trunk", "state", "since", "last lost", "lost", "let go", "held", "letting go takes")
    cells = [
        (str(row.incident), row.cause, row.state, *times, str(row.losses), str(row.let_go), str(row.held), drain)
        for row, drain in zip(rows, drains, strict=True)
        for times in [[f"{local(at, zone):%m-%d %H:%M:%S}" for at in (row.opened_at, row.last_lost_at)]]
    ]
    terminal.put(terminal.table(heads, cells, figures={"#", "lost", "let go", "held"}))


def _drain(row: Incident, per_min: float, broken: int) -> str:
    """How long letting go takes at the set rate, and how many promises break meanwhile; empty: nobody is let go."""
    if not row.held or row.state == "dropped":
        return ""
    minutes = math.ceil(drain_s(row.held, per_min) / 60)
    return f"{minutes} min" + (f", {broken} promise{'s' if broken > 1 else ''} will break" if broken else "")


@app.command()
def release(incident: Number, why: Why, by: Who = None, settings: SettingsFile = DEFAULT) -> None:
    """Call and text those it holds from now on, bit by bit, and whoever is lost from now on as ever."""
    _decide(settings, incident, "released", By(by or user(), why))


@app.command()
def drop(incident: Number, why: Why, by: Who = None, settings: SettingsFile = DEFAULT) -> None:
    """Cancel the callbacks of all whom it holds."""
    _decide(settings, incident, "dropped", By(by or user(), why))


def _decide(settings: Path, incident: int, wish: incidents.Wish, by: By) -> None:
    wiring, now = load(settings), now_us()
    with closing(store_of(wiring.database)) as store:
        transact(store, lambda c: current(c, wiring, now), now, lambda work: incidents.decide(work, incident, wish, by))
    typer.echo(f"incident {incident} is {wish}")
