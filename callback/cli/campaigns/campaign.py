"""`callback campaign …`: made, built, started, stopped; how far one is, and what its samples said."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from callback.cli.campaigns import draft_file, told
from callback.cli.campaigns.sampled import check, sample, score
from callback.cli.options import DEFAULT, SettingsFile, Who, Why, deciding, in_force, reading
from callback.clock import user
from callback.decisions.campaigns import acts
from callback.decisions.reasons import NONE_GIVEN
from callback.errors import CallbackError
from callback.reports.campaigns import preview as previews
from callback.reports.campaigns import progress, results
from callback.site.work import Work
from callback.store.audit import By
from callback.store.engine import HIGHEST
from scheduler.clock import HOUR

app = typer.Typer(help="Very many are told by text that they were hit, and some are asked afterwards. By itself: list.")
Number = Annotated[int, typer.Argument(min=1, max=HIGHEST, help="The campaign, as `callback campaign` numbers it.")]


@app.callback(invoke_without_command=True)
def by_itself(context: typer.Context, settings: SettingsFile = DEFAULT) -> None:
    """Show the newest campaigns."""
    if context.invoked_subcommand is None:
        show_all(settings)


@app.command("list")
def show_all(settings: SettingsFile = DEFAULT) -> None:
    """Show the newest campaigns: state, people in the audience, and how many were told."""
    with reading(in_force(settings)) as work:
        told.campaigns(work, progress.campaigns(work))


@app.command("new")
def new(
    file: Annotated[Path, typer.Argument(help="What it says and to whom, as TOML: docs/campaigns.md shows one.")],
    by: Who = None,
    settings: SettingsFile = DEFAULT,
) -> None:
    """Make a campaign of a file, as a draft."""
    number = deciding(settings, lambda work: acts.make(work, draft_file.read(work, file), By(by or user(), NONE_GIVEN)))
    typer.echo(f"campaign {number} is a draft; `callback campaign preview {number}` finds whom it tells")


@app.command()
def numbers(number: Number, file: Annotated[Path, typer.Argument(help="CSV: number,segment,language.")],
            by: Who = None, settings: SettingsFile = DEFAULT) -> None:  # fmt: skip
    """Take the people of a file into the audience; lines that cannot be used are named and left out."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CallbackError(f"{file} cannot be read: {error.strerror}") from error
    with reading(in_force(settings)) as work:
        read = acts.read_numbers(work, content)
    taken = deciding(settings, lambda work: acts.add_numbers(work, number, read, By(by or user(), NONE_GIVEN)))
    typer.echo(f"{taken.new} people are new; the file names {len(read.named)}, {read.twice} of them twice")
    for line in read.refused:
        typer.echo(f"line {line.line} is refused: {line.why}", err=True)
    if read.refused_count > len(read.refused):
        typer.echo(f"and {read.refused_count - len(read.refused)} more lines", err=True)


@app.command()
def preview(number: Number, by: Who = None, settings: SettingsFile = DEFAULT) -> None:
    """Find whom it tells, and say how many, who is left out and why, what it costs and how long it takes."""

    def build(work: Work) -> None:
        one = progress.one(work, number)
        if one.state in {"draft", "ready"}:
            acts.build(work, number, By(by or user(), NONE_GIVEN))

    deciding(settings, build)
    with reading(in_force(settings)) as work:
        one = progress.one(work, number)
        told.preview(work, one, previews.preview(work, one))


@app.command()
def start(number: Number, why: Why, by: Who = None, settings: SettingsFile = DEFAULT, *,
          yes: Annotated[bool, typer.Option("--yes", help="Do not ask once more.")] = False) -> None:  # fmt: skip
    """Begin to tell people, or go on with those who were not told before it was stopped."""
    with reading(in_force(settings)) as work:
        one = progress.one(work, number)
        shown = previews.preview(work, one)
    if not yes:
        typer.confirm(f"Tell {shown.to_tell} people now, in {shown.texts} texts to pay?", abort=True)
    deciding(settings, lambda work: acts.start(work, number, By(by or user(), why)))
    typer.echo(f"campaign {number} runs; `callback campaign stop {number}` stops it at once")


@app.command()
def stop(number: Number, by: Who = None, settings: SettingsFile = DEFAULT) -> None:
    """Stop it at once: what waits is taken back; texts that the gateway has already can still arrive."""
    back = deciding(settings, lambda work: acts.stop(work, number, By(by or user(), NONE_GIVEN)))
    typer.echo(f"campaign {number} is stopped; {back} texts were taken back")


@app.command()
def finish(number: Number, why: Why, by: Who = None, settings: SettingsFile = DEFAULT) -> None:
    """End a campaign that is stopped, for good."""
    deciding(settings, lambda work: acts.finish(work, number, By(by or user(), why)))
    typer.echo(f"campaign {number} is ended")


@app.command()
def callers(
    number: Number,
    hours: Annotated[float, typer.Argument(min=0, max=72, help="For so many hours from now on; 0: no more.")],
    by: Who = None,
    settings: SettingsFile = DEFAULT,
) -> None:
    """Let the dialplan tell those who call, and lead them to the queue for it."""
    for_us = round(hours * HOUR) or None
    until_at = deciding(settings, lambda work: acts.tell_callers(work, number, for_us, By(by or user(), NONE_GIVEN)))
    typer.echo("those who call are told" if until_at else "those who call are not told any more")


@app.command()
def show(number: Number, settings: SettingsFile = DEFAULT) -> None:
    """Show how far it is, what was answered, and what its samples said."""
    with reading(in_force(settings)) as work:
        one = progress.one(work, number)
        told.whole(one, progress.progress(work, one), results.rounds(work, number))


app.command()(sample)
app.command()(score)
app.command()(check)
