"""The command line: run the service, look at the queue, replay captures, check an installation."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from callback import cli_reservation, queue_view
from callback import doctor as examination
from callback.app import Service
from callback.errors import CallbackError
from callback.settings import Settings, load
from callback.simulate import simulate
from callback.store.engine import Store
from scheduler.errors import SchedulerError
from sms.errors import SmsError
from telephony.errors import TelephonyError
from telephony.replay import as_json as call_as_json
from telephony.replay import calls_of

app = typer.Typer(
    help="Finds callers who were lost on Asterisk queues, tells them why, and calls them back within the hour.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(cli_reservation.app, name="reservation")
app.command()(simulate)

SettingsFile = Annotated[
    Path,
    typer.Option("--settings", "-s", envvar="CALLBACK_SETTINGS", help="The settings file (TOML)."),
]
DEFAULT = Path("callback.toml")


@app.command()
def run(
    settings: SettingsFile = DEFAULT,
    events_json: Annotated[
        Path | None, typer.Option(help="Append everything that happens to this file, one JSON object a line.")
    ] = None,
) -> None:
    """Listen to the PBX, reserve, text and call back, until stopped (Ctrl-C).

    On a PBX whose queues are not switched on it only watches: it records whom it would text and call.
    """
    wiring = load(settings)
    try:
        programs = events_json.open("a", encoding="utf-8") if events_json else None
    except OSError as error:
        raise CallbackError(
            f"--events-json {events_json}: {error.strerror}; name a file that can be written"
        ) from error
    asyncio.run(Service(wiring, sys.stdout, programs).run())


@app.command()
def queue(
    settings: SettingsFile = DEFAULT,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many reservations.")] = 200,
) -> None:
    """Show the open reservations: deadline, state, and why each has not been called yet."""
    wiring = load(settings)
    rows = queue_view.open_reservations(_store(wiring), wiring, limit)
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row.as_json(), ensure_ascii=False))
    else:
        queue_view.show(rows, wiring.rules.hours().zone)


@app.command()
def replay(
    files: Annotated[list[Path], typer.Argument(help="Raw AMI captures, plain or .gz, each on its own.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line for each call.")] = False,
) -> None:
    """Judge the calls of raw AMI captures: what was lost, why, and on whose side."""
    for file in files:
        for call, verdict in calls_of(file):
            record = call_as_json(call, verdict)
            typer.echo(json.dumps(record, ensure_ascii=False) if as_json else queue_view.call_line(record))


@app.command()
def doctor(
    settings: SettingsFile = DEFAULT,
    number: Annotated[
        str | None, typer.Option(help="Say what each trunk makes of a number as signalled, and nothing else.")
    ] = None,
) -> None:
    """Check settings, database, manager login and rights, contexts and clocks; say the remedy for each fault."""
    if number is not None:
        for line in examination.number_lines(load(settings), number):
            typer.echo(line)
        return
    healthy = True
    for finding in examination.examine(settings):
        typer.echo(finding.line())
        healthy = healthy and finding.ok
    raise typer.Exit(0 if healthy else 1)


def _store(wiring: Settings) -> Store:
    return Store(wiring.database.url)


def main() -> None:
    """Run the command line; what an operator can mend is one sentence and status 2, not a traceback."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        app()
    except (CallbackError, TelephonyError, SmsError, SchedulerError) as error:
        typer.echo(f"callback: {error}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
