"""The command line: run the service, look at the queue, replay captures, check an installation."""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from callback import cli_audit, cli_incident, cli_lease, cli_reservation, cli_texts, queue_view, terminal
from callback import doctor as examination
from callback.app import Service
from callback.cli_import import import_queue_log
from callback.cli_parts import DEFAULT, SettingsFile
from callback.cli_report import hints, report
from callback.cli_today import today
from callback.doctor.text import send_one
from callback.errors import CallbackError
from callback.machine import user
from callback.masking import log_to_stderr
from callback.queue_view import State, Wanted
from callback.settings import Settings, load, trunks_of
from callback.simulate import simulate
from callback.store.engine import Store
from scheduler.errors import SchedulerError
from sms.errors import SmsError
from telephony.errors import TelephonyError
from telephony.private import is_open_to_others, open_private
from telephony.replay import Said, calls_of
from telephony.replay import as_json as call_as_json

log = logging.getLogger(__name__)

app = typer.Typer(
    help="Finds callers who were lost on Asterisk queues, tells them why, and calls them back within the hour.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(cli_reservation.app, name="reservation")
app.add_typer(cli_incident.app, name="incident")
app.add_typer(cli_lease.app, name="lease")
app.add_typer(cli_audit.app, name="audit")
app.command()(simulate)
for _command in (cli_texts.texts, cli_texts.refused, cli_texts.satisfaction):
    app.command()(_command)
app.add_typer(cli_texts.answers, name="answers")
app.command()(import_queue_log)
app.command()(hints)
app.command()(report)
app.command()(today)


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
    log_to_stderr(full_numbers=wiring.logs.numbers == "full")
    try:
        programs = open_private(events_json) if events_json else None
    except OSError as error:
        raise CallbackError(
            f"--events-json {events_json}: {error.strerror}; name a file that can be written"
        ) from error
    if events_json is not None and is_open_to_others(events_json):
        log.warning("%s can be read by every user of this machine: chmod 600 %s", events_json, events_json)
    asyncio.run(Service(wiring, sys.stdout, programs, settings).run())


@app.command()
def door(
    settings: SettingsFile = DEFAULT,
    *,
    until_eof: Annotated[bool, typer.Option(hidden=True, help="End when standard input does.")] = False,
) -> None:
    """Stand open for the gateway's callbacks and the customers' page; `run` does so where `web.listen` is set."""
    from callback.door import stand_open  # noqa: PLC0415 - a second to import, and no other command needs it

    wiring = load(settings)
    log_to_stderr(full_numbers=wiring.logs.numbers == "full")
    asyncio.run(stand_open(wiring, sys.stdin if until_eof else None))


@app.command()
def queue(
    settings: SettingsFile = DEFAULT,
    *,
    queue: Annotated[str | None, typer.Option("--queue", help="Those of this queue.")] = None,
    state: Annotated[State | None, typer.Option(help="Those that stand so.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Those whose deadline has passed.")] = False,
    assigned: Annotated[str | None, typer.Option(metavar="NAME", help="Those assigned to NAME.")] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Those assigned to the user of this machine.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    closed: Annotated[
        bool, typer.Option("--closed", help="Those left to people instead: not reached in time.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many reservations.")] = 200,
) -> None:
    """Show the open reservations: deadline, time left, and why each has not been called yet.

    Examples: callback queue --overdue · callback queue --mine · callback queue | grep 5155512345
    """
    wiring = load(settings)
    wanted = Wanted(queue, state, overdue, user() if mine else assigned)
    if closed and state is not None:
        raise CallbackError("--closed shows those that are open no more, and --state those that are: say one of them")
    with closing(_store(wiring)) as store:
        rows = (queue_view.left_to_people if closed else queue_view.open_reservations)(store, wiring, limit, wanted)
        last_line = "" if closed or as_json else queue_view.totals(store, wiring, wanted)
    if as_json:
        for row in rows:
            terminal.put_json(row.as_json())
        return
    some = wanted != queue_view.EVERYBODY
    nobody = "Nobody is left to people." if closed else "Nobody waits for a callback."
    if last_line and len(rows) == limit:
        last_line += f"; those {limit} with the nearest deadline are shown (--limit)"
    queue_view.show(rows, wiring.rules.hours().zone, "Nobody like that." if some else nobody, last_line=last_line)


@app.command(name="settings")
def show_settings(
    *,
    example: Annotated[bool, typer.Option("--example", help="A file to begin with instead (TOML).")] = False,
) -> None:
    """Print the reference of the settings: each key with its default, its range and what it is."""
    from callback import settings_reference  # noqa: PLC0415 - no other command needs it

    typer.echo(settings_reference.example() if example else settings_reference.reference(), nl=False)


@app.command()
def replay(
    files: Annotated[list[Path], typer.Argument(help="Raw AMI captures, plain or .gz, each on its own.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line for each call.")] = False,
) -> None:
    """Judge the calls of raw AMI captures: what was lost, why, and on whose side.

    Messages that were refused are told on standard error; a capture of which nothing can be read is a fault (status 2).
    """
    for file in files:
        said = Said()
        for call, verdict in calls_of(file, said=said):
            record = call_as_json(call, verdict)
            if as_json:
                terminal.put_json(record)
            else:
                terminal.say(queue_view.call_line(record))
        if doubts := said.doubts():
            typer.echo(f"callback: {file}: {doubts}", err=True)


@app.command()
def doctor(
    settings: SettingsFile = DEFAULT,
    number: Annotated[
        str | None, typer.Option(help="Say what each trunk makes of a number as signalled, and nothing else.")
    ] = None,
    text: Annotated[
        str | None, typer.Option(help="Send one test text to this number, say what came of it, and nothing else.")
    ] = None,
) -> None:
    """Check settings, database, manager login and rights, contexts and clocks; say the remedy for each fault."""
    if number is not None:
        for line in examination.number_lines(trunks_of(settings), number):
            terminal.say(line)
        return
    healthy = True
    for finding in examination.examine(settings) if text is None else send_one(load(settings), text):
        for line in finding.line().split("\n"):
            terminal.say(line)
        healthy = healthy and finding.ok
    raise typer.Exit(0 if healthy else 1)


def _store(wiring: Settings) -> Store:
    return Store(wiring.database.url)


def main() -> None:
    """Run the command line; what an operator can mend is one sentence and status 2, not a traceback."""
    log_to_stderr()
    try:
        app()
    except (CallbackError, TelephonyError, SmsError, SchedulerError) as error:
        for line in f"callback: {error}".split("\n"):
            terminal.say(line, error=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
