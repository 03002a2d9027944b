"""The command line: what it offers. Each command is imported only when it is asked for, so that all begin quickly."""

from __future__ import annotations

import errno
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module, metadata
from io import TextIOWrapper
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from callback.errors import CallbackError
from callback.garbage import without_gc
from callback.logs.masking import log_to_stderr
from callback.logs.printable import say
from callback.logs.structured import is_json
from scheduler.errors import SchedulerError
from sms.errors import SmsError
from telephony.errors import TelephonyError


@dataclass(frozen=True, slots=True)
class Command:
    """Where a command is, as module and name in it, and its help in a line: the first of its own."""

    place: str
    help: str

    def load(self, name: str) -> Any:  # noqa: ANN401 - a command as typer makes it
        """Import it."""
        module, _, attribute = self.place.partition(":")
        with without_gc():  # what is loaded stays
            found: Any = getattr(import_module(f"callback.cli.{module}"), attribute)
        if isinstance(found, typer.Typer):
            group = typer.main.get_group(found)
            group.name = name
            return group
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(name)(found)
        return typer.main.get_command(alone)


COMMANDS: Final[Mapping[str, Command]] = {
    "run": Command("service:run", "Listen to the PBX, reserve, text and call back, until stopped (Ctrl-C)."),
    "doctor": Command(
        "service:doctor",
        "Check settings, database, manager login and rights, contexts and clocks; say the remedy for each fault.",
    ),
    "init": Command(
        "operations.init:init",
        "Write the settings and the files for Asterisk, from what is found on this machine, and say what to do with"
        " them.",
    ),
    "probe": Command(
        "probe:probe",
        "Call as a customer, give up, and see whether one is found, texted and called back: from outside the service.",
    ),
    "queue": Command(
        "queue:queue",
        "Show the open reservations: deadline, time left, and why each has not been called yet.",
    ),
    "find": Command(
        "find:find",
        "Tell all about one number: calls, reservations, promises, texts, attempts, decisions and answers.",
    ),
    "reservation": Command(
        "reservation:app",
        "Decide about a reservation, a number or a loss: hold, call now, postpone, block, erase, release …; all of it"
        " is kept in an audit.",
    ),
    "campaign": Command(
        "campaigns.campaign:app",
        "Very many are told by text that they were hit, and some are asked afterwards. By itself: list.",
    ),
    "incident": Command(
        "incident:app",
        "Many losses with one cause: nobody is called or texted for them until they have passed. By itself: the list.",
    ),
    "case": Command(
        "care.case:app",
        "Complaints and customers who were not content: register, assign, answer, and write down what the customer"
        " said. By itself: the list.",
    ),
    "flag": Command(
        "care.flag:app",
        "Customers flagged for contact on a later day: on that day it becomes a callback. By itself: the list.",
    ),
    "answers": Command("texts:answers", "Texts of customers that a person must read."),
    "promises": Command(
        "promises:promises",
        "Show how promises were kept: first dialled, reached, closed by rule, each within 30 and within 60 minutes.",
    ),
    "today": Command(
        "today:today",
        "Say whether today leaves its forecast, which promises will break and when, and what helps now.",
    ),
    "refused": Command(
        "texts:refused",
        "Show the numbers that are not called back, and why; `callback reservation release CALL` calls one back.",
    ),
    "satisfaction": Command(
        "texts:satisfaction",
        "Show how customers judged the callbacks that reached them (1 to 5), by kind of loss and by speed.",
    ),
    "care": Command(
        "care.figures:care",
        "Show what is learnt from cases: repaired in time, satisfied, repeats, hot topics, and the loop from lost"
        " calls.",
    ),
    "texts": Command(
        "texts:texts",
        "Show every text with sample values, in each language: as it is, and with each way to answer it.",
    ),
    "hints": Command(
        "report:hints",
        "Say where agents are missing in the week to come, and on how many past weekdays it would have held.",
    ),
    "report": Command(
        "report:report",
        "Report calls, losses, peaks, how promises were kept, how good the forecast is, and the week to come.",
    ),
    "import-queue-log": Command(
        "import_log:import_queue_log",
        "Read queue_logs: how calls went, who called again, when callers are lost, and where agents are missing.",
    ),
    "replay": Command("replay:replay", "Judge the calls of raw AMI captures: what was lost, why, and on whose side."),
    "simulate": Command(
        "simulate:simulate",
        "Replay a month of recorded calls in virtual time, and say what each policy of calling back makes of it.",
    ),
    "rules": Command(
        "rules:app",
        "The rules as versions: which holds, who made it and why; publish, go back, or take the settings file's. By"
        " itself: the list.",
    ),
    "settings": Command(
        "operations.settings:show_settings",
        "Print the reference of the settings: each key with its default, its range and what it is.",
    ),
    "user": Command(
        "accounts.user:app",
        "Who may sign in to the console, and what each may do there; all of it is kept in the audit. By itself: the"
        " list.",
    ),
    "wall": Command(
        "accounts.wall:app", "Wall displays: each has an address of its own that shows one page, without numbers."
    ),
    "token": Command(
        "accounts.token:app",
        "Programs that use the API: each has a token with scopes, and all it does is kept in the audit.",
    ),
    "audit": Command("operations.audit:app", "Whether the record of who decided what is whole."),
    "backup": Command(
        "operations.backup:backup",
        "Write the database, the settings file and the site's own texts into one file, while the service works.",
    ),
    "retain": Command(
        "operations.retain:retain",
        "Forget what was kept for as long as section retention says. The service does so by itself, every hour.",
    ),
    "restore": Command(
        "operations.backup:restore",
        "Make the database of the settings from a backup: all of it, or nothing.",
    ),
    "nodes": Command(
        "operations.nodes:nodes",
        "List the processes of this database: role, what each does, when it was seen last, its clock; and the leases.",
    ),
    "lease": Command(
        "operations.lease:app",
        "Which process listens to the PBX: one at a time has the right to decide and to dial.",
    ),
    "door": Command(
        "service:door",
        "Serve the gateway's callbacks and the customers' page over HTTP; `run` does so where `web.listen` is set.",
    ),
    "console": Command(
        "service:console",
        "Serve the console, in which people watch and decide; `run` does so where `console.listen` is set.",
    ),
    "metrics": Command(
        "service:metrics",
        "Serve metrics and health checks over HTTP; `run` does so where `metrics.listen` is set.",
    ),
}
"""In the order in which they are asked for."""


_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


class Offered(TyperGroup):
    """Lists every command by its line alone, and imports the one that is called."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # noqa: ARG002 - typer's
        """Give the names, in order."""
        return list(COMMANDS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]  # noqa: ANN401, ARG002
        """Give what help needs to know of a command."""
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name].help) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]  # noqa: ANN401
        """Give the command that is called."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, COMMANDS[name].load(name) if name is not None and name in COMMANDS else command, rest


app = typer.Typer(
    cls=Offered,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _said(version: bool) -> None:  # noqa: FBT001 - as typer calls it
    if version:
        typer.echo(f"callback {metadata.version('lost-call-recovery')}")
        raise typer.Exit


@app.callback()
def callback(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_said, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """Finds callers who were lost on Asterisk queues, tells them why, and calls them back within the hour."""


def _said_why(error: Exception) -> None:
    """Say why a command ends; where it logs as JSON, as one object of the log."""
    if is_json():
        logging.getLogger("callback").critical("%s", error)
        return
    for line in f"callback: {error}".split("\n"):
        say(line, error=True)


def _whatever_is_written() -> None:
    """Let nothing that is printed fail for what the terminal's or the pipe's encoding has no letter for."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def main() -> None:
    """Run the command line; what an operator can mend is one sentence and status 2, not a traceback."""
    log_to_stderr()
    _whatever_is_written()
    try:
        app()
    except (CallbackError, TelephonyError, SmsError, SchedulerError) as error:
        _said_why(error)
        sys.exit(2)
    except OSError as error:
        if error.errno not in _NO_ROOM or error.filename is not None:
            raise
        say(f"callback: what is printed cannot be written: {error.strerror}; make room, or print elsewhere", error=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
