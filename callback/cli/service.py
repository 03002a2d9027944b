"""`callback run`, `door`, `console` and `doctor`: the service, and whether it would work here."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from callback.cli.options import DEFAULT, SettingsFile
from callback.cli.tables import terminal
from callback.cluster.nodes import name_here
from callback.cluster.roles import Role
from callback.errors import CallbackError
from callback.garbage import gc_seldom
from callback.logs.structured import log_as
from callback.settings.sections import Settings, load, trunks_of
from telephony.private import is_open_to_others, open_private

log = logging.getLogger(__name__)


def run(
    settings: SettingsFile = DEFAULT,
    events_json: Annotated[
        Path | None, typer.Option(help="Append everything that happens to this file, one JSON object a line.")
    ] = None,
    role: Annotated[
        Role, typer.Option(help="What this process does of it, where several hosts share it: docs/cluster.md.")
    ] = Role.ALL,
) -> None:
    """Listen to the PBX, reserve, text and call back, until stopped (Ctrl-C).

    On a PBX whose queues are not switched on it only watches: it records whom it would text and call.
    """
    from callback.service.service import Service  # noqa: PLC0415 - near a second to import; a console begins without

    wiring = load(settings, listens=role.listens)
    _log(wiring, role)
    try:
        programs = open_private(events_json) if events_json else None
    except OSError as error:
        raise CallbackError(
            f"--events-json {events_json}: {error.strerror}; name a file that can be written"
        ) from error
    if events_json is not None and is_open_to_others(events_json):
        log.warning("%s can be read by every user of this machine: chmod 600 %s", events_json, events_json)
    gc_seldom()
    asyncio.run(Service(wiring, sys.stdout, programs, settings, role).run())


def _log(wiring: Settings, role: str, *, full_numbers: bool | None = None) -> None:
    """Log to standard error, as the settings say, what this process has to say."""
    node = name_here(wiring.cluster.node)
    full = wiring.logs.numbers == "full" if full_numbers is None else full_numbers
    log_as(wiring.logs.form, {"pbx": wiring.pbx.name, "node": node, "role": str(role)}, full_numbers=full)


def door(
    settings: SettingsFile = DEFAULT,
    *,
    until_eof: Annotated[bool, typer.Option(hidden=True, help="End when standard input does.")] = False,
) -> None:
    """Serve the gateway's callbacks and the customers' page over HTTP; `run` does so where `web.listen` is set."""
    from callback.web.public import serve_until_told  # noqa: PLC0415 - a second to import, and no other command needs it

    wiring = load(settings, listens=False)
    _log(wiring, "door")
    gc_seldom()
    asyncio.run(serve_until_told(wiring, sys.stdin if until_eof else None))


def console(
    settings: SettingsFile = DEFAULT,
    *,
    until_eof: Annotated[bool, typer.Option(hidden=True, help="End when standard input does.")] = False,
) -> None:
    """Serve the console, in which people watch and decide; `run` does so where `console.listen` is set.

    It goes on while the service is stopped, and says so on its pages.
    """
    from callback.web.console.serve import serve_until_told  # noqa: PLC0415 - as above

    wiring = load(settings, listens=False)
    _log(wiring, "console", full_numbers=False)
    gc_seldom()
    asyncio.run(serve_until_told(wiring, settings, sys.stdin if until_eof else None))


def metrics(
    settings: SettingsFile = DEFAULT,
    *,
    until_eof: Annotated[bool, typer.Option(hidden=True, help="End when standard input does.")] = False,
) -> None:
    """Serve metrics and health checks over HTTP; `run` does so where `metrics.listen` is set.

    By itself it knows of the database alone, and no service beside it.
    """
    from callback.web.watching.serve import serve_until_told  # noqa: PLC0415 - as above

    wiring = load(settings, listens=False)
    _log(wiring, "metrics")
    gc_seldom()
    asyncio.run(serve_until_told(wiring, sys.stdin if until_eof else None))


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
    from callback.operations import doctor as examination  # noqa: PLC0415 - as above
    from callback.operations.doctor.text import send_one  # noqa: PLC0415 - as above

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
