"""`callback incident …`: what many lost calls have in common, and what a person decides about all of them at once."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from callback import incidents, terminal
from callback.audit import By
from callback.cli_parts import DEFAULT, HIGHEST, SettingsFile, Who, Why, reading
from callback.machine import now_us, user
from callback.settings import load
from callback.shift import current
from callback.store.engine import Store
from scheduler.clock import local

app = typer.Typer(help="Many losses with one cause: nobody is called or texted for them until they have passed.")

Number = Annotated[
    int, typer.Argument(min=1, max=HIGHEST, help="The incident, as `callback incident list` numbers it.")
]


@app.command("list")
def show(
    settings: SettingsFile = DEFAULT,
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many, the newest first.")] = 20,
) -> None:
    """Show the newest incidents: since when, how many were lost, how many are let go already."""
    wiring = load(settings)
    zone = wiring.rules.hours().zone
    with reading(wiring) as connection:
        rows = incidents.listed(connection, wiring.pbx.name, limit)
    if not rows:
        terminal.say("There was no incident.")
        return
    heads = ("#", "queue/reason/trunk", "state", "since", "last lost", "lost", "let go")
    cells = [
        (str(row.id), row.cause, row.state, *times, str(row.losses), str(row.let_go))
        for row in rows
        for times in [[f"{local(at, zone):%m-%d %H:%M:%S}" for at in (row.opened_at, row.last_lost_at)]]
    ]
    terminal.put(terminal.table(heads, cells, figures={"#", "lost", "let go"}))


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
    with closing(Store(wiring.database.url)) as store:
        store.transact(lambda c: incidents.decide(c, current(c, wiring), incident, wish, by, now))
    typer.echo(f"incident {incident} is {wish}")
