"""`callback init`: the files to begin with, from what is found on this machine and a few questions."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated
from zoneinfo import available_timezones

import typer
from phonenumbers import SUPPORTED_REGIONS

from callback.cli.tables import terminal
from callback.errors import CallbackError
from callback.operations.init import guide, place
from callback.operations.init.draft import Answers, drafts, of_asterisk
from callback.operations.init.files import Draft, Outcome, put
from callback.operations.init.found import DEFAULT_PORT, Found, look
from callback.settings.addresses import is_this_machine
from callback.settings.sections import load

Names = Annotated[list[str] | None, typer.Option(help="Instead of those that are found; several, too.")]


def init(
    folder: Annotated[Path, typer.Option(help="Where the files are written.")] = Path(),
    asterisk: Annotated[Path, typer.Option(help="The folder of the Asterisk's own files.")] = Path("/etc/asterisk"),
    zone: Annotated[str, typer.Option(help="The site's clock, as in Europe/Berlin.")] = "",
    region: Annotated[str, typer.Option(help="ISO 3166: whose national numbers the trunks signal.")] = "",
    trunk: Names = None,
    queue: Names = None,
    host: Annotated[str, typer.Option(help="Where the PBX is, if not on this machine.")] = "",
    data: Annotated[Path | None, typer.Option(help="Where database and journal lie, if not beside them.")] = None,
    *,
    only_asterisk: Annotated[
        bool,
        typer.Option("--only-asterisk", help="After an upgrade: only the files for Asterisk, by the settings there."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: take what is found and said.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files that differ; the old ones stay as NAME.1.old.")
    ] = False,
) -> None:
    """Write the settings and the files for Asterisk, from what is found on this machine, and say what to do with them.

    It changes nothing on the PBX and overwrites nothing. Asked once more it says what differs: after an upgrade, which
    files are new.
    """
    if only_asterisk:
        _only_asterisk(folder, look(asterisk), force=force)
        return
    found = look(asterisk)
    _say(guide.found_lines(found))
    silent = yes or not sys.stdin.isatty()
    zone = _zone(zone or _asked("The site's clock", place.own_zone(), silent=silent))
    region = _region(region or _asked("Country of its national numbers", place.country_of(zone), silent=silent))
    trunks = tuple(trunk or found.trunks)
    if not trunks and not silent:
        named = typer.prompt("The PJSIP endpoint of its trunk (empty: not known yet)", default="", show_default=False)
        trunks = (named,) if named else ()
    where = host or found.manager.host
    port = found.manager.port if where == found.manager.host else DEFAULT_PORT
    trunks = tuple(one.removeprefix("PJSIP/") for one in trunks)  # some name the channel, not the endpoint
    answers = Answers(folder, zone, region, trunks, tuple(queue or found.queues), where, port, _way_to(where), data)
    outcomes = _written(drafts(answers, found), force=force)
    _say(["", *guide.to_do(answers, found), *guide.next_steps(answers), "", "What could not be known:"])
    _say(f"  - {one}" for one in guide.unknown(answers, found))
    load(folder / "callback.toml")  # also one that was there: what is wrong with it is said now
    _end(outcomes)


def _only_asterisk(folder: Path, found: Found, *, force: bool) -> None:
    """Write the files for Asterisk of this version, for the PBX of the settings."""
    host = load(folder / "callback.toml").pbx.host
    answers = Answers(folder, "", "", (), (), host, DEFAULT_PORT, _way_to(host))
    outcomes = _written(of_asterisk(answers), force=force)
    _say(["", *guide.to_do(answers, found)])
    _end(outcomes)


def _written(wanted: Iterable[Draft], *, force: bool) -> list[Outcome]:
    outcomes = []
    for draft in wanted:
        outcomes.append(put(draft, force=force))
        _say(_fate(outcomes[-1]))
    return outcomes


def _end(outcomes: list[Outcome]) -> None:
    if any(outcome.fate == "differs" for outcome in outcomes):
        raise typer.Exit(1)


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        terminal.say(line)


def _asked(what: str, proposed: str, *, silent: bool) -> str:
    return proposed if silent else str(typer.prompt(what, default=proposed or None)).strip()


def _zone(zone: str) -> str:
    if zone not in available_timezones():
        told = f"'{zone}' is none" if zone else "this machine's clock does not tell the site's"
        raise CallbackError(f"the site's zone: {told}; say it by --zone, as in America/New_York or Europe/Berlin")
    return zone


def _region(region: str) -> str:
    if region.upper() not in SUPPORTED_REGIONS:
        told = f"'{region}' is none" if region else "the zone does not tell it"
        raise CallbackError(f"the country of the trunks' numbers: {told}; say it by --region, as in US, GB, DE, JP")
    return region.upper()


def _way_to(host: str) -> str:
    """Give the address by which that host sees this machine."""
    if is_this_machine(host):
        return "127.0.0.1"
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
            way.connect((host, 9))  # nothing is sent
            return str(way.getsockname()[0])
    except OSError as error:
        remedy = "name the PBX by an address, or by a host that is known"
        raise CallbackError(f"--host {host}: {error.strerror}; {remedy}") from error


def _fate(outcome: Outcome) -> list[str]:
    path = outcome.draft.path
    if outcome.fate == "differs":
        return [f"differs   {path}: it stays as it is (--force replaces it, and keeps a copy)", *_indented(outcome)]
    if outcome.fate == "replaced":
        return [f"replaced  {path}: the old one is {outcome.kept}", *_indented(outcome)]
    return [f"{outcome.fate:<9} {path}"]


def _indented(outcome: Outcome) -> list[str]:
    return [f"          {line}" for line in outcome.differs]
