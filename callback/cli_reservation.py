"""`callback reservation …`: what people decide about one reservation, and who decided what before."""

from __future__ import annotations

import os
import pwd
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection, select

from callback import audit, decisions
from callback.audit import By
from callback.decisions import Decision
from callback.errors import CallbackError
from callback.news import News
from callback.settings import Settings, load
from callback.shift import Shift, current
from callback.store import tables as t
from callback.store.engine import Store
from scheduler.clock import first, local, micros

app = typer.Typer(help="Decide about a reservation: hold, resume, call now, cancel …; all of it is kept in an audit.")

Number = Annotated[int, typer.Argument(help="The reservation, as `callback queue` numbers it.")]
SettingsFile = Annotated[Path, typer.Option("--settings", "-s", envvar="CALLBACK_SETTINGS", help="The settings file.")]
Who = Annotated[str | None, typer.Option("--by", help="Who decides; by default the user of this machine.")]
Why = Annotated[str, typer.Option("--why", help="The reason; it is kept.")]
DEFAULT = Path("callback.toml")


def _command(name: str, decision: Decision) -> None:
    def command(reservation: Number, why: Why, by: Who = None, settings: SettingsFile = DEFAULT) -> None:
        _decide(load(settings), decision, reservation, By(by or _user(), why))

    command.__doc__ = str(decision.__doc__).split(". Raises")[0]
    app.command(name)(command)


for _name, _decision in decisions.BY_NAME.items():
    _command(_name, _decision)


@app.command()
def slot(
    reservation: Number,
    at: Annotated[str, typer.Argument(help='When he wants to be called, on the site\'s clock: "2026-11-23 18:30".')],
    why: Why,
    by: Who = None,
    settings: SettingsFile = DEFAULT,
) -> None:
    """Call him at the time that he chose; it replaces every other promise."""
    wiring = load(settings)
    try:
        said = datetime.fromisoformat(at)
        chosen_at = micros(said) if said.tzinfo else first(said, wiring.rules.hours().zone)
    except ValueError as error:
        raise CallbackError(f"'{at}' is no time: write it as in 2026-11-23 18:30") from error

    def choose(connection: Connection, shift: Shift, number: int, who: By, now: int) -> list[News]:
        return decisions.choose_slot(connection, shift, number, chosen_at, who, now)

    _decide(wiring, choose, reservation, By(by or _user(), why))


@app.command()
def history(reservation: Number, settings: SettingsFile = DEFAULT) -> None:
    """Show who decided what about a reservation, and whether the audit is whole."""
    wiring = load(settings)
    zone = wiring.rules.hours().zone
    with Store(wiring.database.url).read() as connection:
        rows = connection.execute(
            select(t.audit).where(t.audit.c.reservation_id == reservation).order_by(t.audit.c.id)
        ).all()
        broken = audit.broken_at(connection)
    for row in rows:
        typer.echo(f"{local(row.at, zone):%Y-%m-%d %H:%M:%S}  {row.action:<15} {row.who}: {row.why}")
    if broken is not None:
        raise CallbackError(f"the audit was tampered with: its chain is broken at {broken}")


def _decide(wiring: Settings, decision: Decision, reservation: int, by: By) -> None:
    now = time.time_ns() // 1000
    with Store(wiring.database.url).write() as connection:
        told = decision(connection, current(connection, wiring), reservation, by, now)
    for news in told:
        typer.echo(f"#{news.facts['reservation']} {news.facts['action']}")


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError as error:
        raise CallbackError("this user has no name on this machine: say who decides with --by NAME") from error
