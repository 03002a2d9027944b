"""`callback texts`, `answers`, `refused`, `satisfaction`: what customers are told, what they say, whom nobody calls."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from callback.cli.options import DEFAULT, Limit, SettingsFile, in_force, reading
from callback.cli.tables import terminal
from callback.clock import now_us, user
from callback.decisions import replies as texted
from callback.errors import CallbackError
from callback.reports import answers as answer_report
from callback.reports import refused as refusals
from callback.reports import satisfaction as yardstick
from callback.settings.sections import load
from callback.site.context import current
from callback.site.templates import Texting, texting_of
from callback.store.engine import HIGHEST
from callback.store.keys import store_of
from scheduler.clock import DAY, local

AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]

answers = typer.Typer(help="Texts of customers that a person must read.")


def texts(
    settings: Annotated[
        Path | None,
        typer.Option(
            "--settings", "-s", envvar="CALLBACK_SETTINGS", help="The settings file (TOML), for wording of your own."
        ),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show every text with sample values, in each language: as it is, and with each way to answer it.

    Where there is no settings file yet: those that the service comes with.
    """
    file = settings or (DEFAULT if DEFAULT.exists() else None)
    texting = texting_of(load(file)) if file else Texting()
    samples = list(texting.samples())
    if as_json:
        terminal.put_json([asdict(sample) for sample in samples], indent=1)
        return
    heads = ("template", "language", "text", "encoding", "segments")
    rows = [(one.template, one.language, one.text, one.encoding, str(one.segments)) for one in samples]
    terminal.put(terminal.table(heads, rows, sentences={"text"}, figures={"segments"}))


@answers.callback(invoke_without_command=True)
def list_answers(
    context: typer.Context, settings: SettingsFile = DEFAULT, *, as_json: AsJson = False, limit: Limit = 200
) -> None:
    """Show the texts that a person must read, the oldest first; `callback answers done ID` takes one off the list."""
    if context.invoked_subcommand is not None:
        return
    wiring = in_force(settings)
    zone = wiring.rules.hours().zone
    with reading(wiring) as work:
        rows = answer_report.open_answers(work, limit)
    if not rows and not as_json:
        terminal.say("No text waits to be read by a person.")
    for row in rows:
        if as_json:
            terminal.put_json(row.as_json())
        else:
            about = f" (reservation {row.reservation})" if row.reservation else ""
            whose = f"{row.number or 'no number'}{about}"
            terminal.say(f"{row.answer:>6}  {local(row.received_at, zone):%m-%d %H:%M}  {whose}: {row.body}")


@answers.command("done")
def done(
    answer: Annotated[int, typer.Argument(min=1, max=HIGHEST, help="The text, as `callback answers` numbers it.")],
    by: Annotated[
        str | None, typer.Option("--by", help="Who has read it; by default the user of this machine.")
    ] = None,
    settings: SettingsFile = DEFAULT,
) -> None:
    """Take a text off the list: somebody has read it and done what was to be done."""
    wiring = load(settings)
    with closing(store_of(wiring.database)) as store, store.write() as connection:
        now = now_us()
        current(connection, wiring, now)
        if not texted.done(connection, wiring.pbx.name, answer, by or user(), now):
            raise CallbackError(f"no text {answer} is waiting to be read; `callback answers` lists those that are")
    typer.echo(f"text {answer} is done")


def refused(settings: SettingsFile = DEFAULT, *, as_json: AsJson = False, limit: Limit = 200) -> None:
    """Show the numbers that are not called back, and why; `callback reservation release CALL` calls one back."""
    wiring = in_force(settings)
    zone = wiring.rules.hours().zone
    with reading(wiring) as work:
        rows = refusals.refused(work, limit)
    if as_json:
        for row in rows:
            terminal.put_json(row.as_json())
        return
    if not rows:
        terminal.say("No number is refused.")
        return
    heads = ("number", "queue", "why", "calls", "last call", "call")
    lasts = [f"{local(row.last_lost_at, zone):%m-%d %H:%M}" for row in rows]
    cells = [
        (row.number, row.queue, row.reason, str(row.losses), last, row.call_id)
        for row, last in zip(rows, lasts, strict=True)
    ]
    terminal.put(terminal.table(heads, cells, figures={"calls"}))


def satisfaction(
    settings: SettingsFile = DEFAULT,
    *,
    as_json: AsJson = False,
    days: Annotated[int, typer.Option(min=1, max=3650, help="What was answered in the last so many days.")] = 30,
) -> None:
    """Show how customers judged the callbacks that reached them (1 to 5), by kind of loss and by speed."""
    with reading(load(settings)) as work:
        rows = yardstick.judged(work.connection, work.pbx, work.now - days * DAY, work.now)
    if as_json:
        for row in rows:
            terminal.put_json(asdict(row))
        return
    if not rows:
        terminal.say(f"Nobody has judged a callback in the last {days} days.")
        return
    heads = ("lost as", "called within", "answers", "mean", "4 or 5")
    cells = [
        (row.kind, speed, str(row.answers), f"{row.mean:.1f}", f"{row.satisfied:.0%}")
        for row in rows
        for speed in [f"{row.within_min} min" if row.within_min else "later"]
    ]
    terminal.put(terminal.table(heads, cells, figures=heads[2:]))
