"""`callback campaign sample, score, check`: some are called back and asked; the five S of a crisis."""

from __future__ import annotations

from typing import Annotated

import typer

from callback.campaigns import checklist as kept
from callback.campaigns.asking import WHY_BLANK, Blank
from callback.campaigns.sample import HIGHEST_SEED, MOST, MOST_DAYS, USUAL_DAYS, Drawn, Wish
from callback.cli.options import DEFAULT, SettingsFile, Who, deciding, in_force, reading
from callback.cli.tables import terminal
from callback.clock import user
from callback.decisions.campaigns import checklist, sampling
from callback.decisions.campaigns.checklist import Said
from callback.decisions.reasons import NONE_GIVEN
from callback.errors import CallbackError
from callback.reports.campaigns import asked, progress
from callback.site.work import Work
from callback.store.audit import By
from callback.store.engine import HIGHEST
from scheduler.clock import local

Number = Annotated[int, typer.Argument(min=1, max=HIGHEST, help="The campaign, as `callback campaign` numbers it.")]


def sample(
    number: Number,
    size: Annotated[int | None, typer.Option(min=1, max=MOST, help="So many people; else as the rules say.")] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=HIGHEST_SEED, help="The same seed draws the same people; else a new one.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="Called over so many days.")] = USUAL_DAYS,
    by: Who = None,
    settings: SettingsFile = DEFAULT,
) -> None:
    """Draw a random sample of the audience: it is called back over some days, and asked from 0 to 10."""
    wish, who = Wish(sampling.new_seed() if seed is None else seed, size, days), By(by or user(), NONE_GIVEN)

    def draw(work: Work) -> tuple[Drawn, str]:
        drawn = sampling.draw(work, number, wish, who)
        first, last = (f"{local(at, work.site.hours.zone):%m-%d %H:%M}" for at in (drawn.first_at, drawn.last_at))
        return drawn, f"called from {first} to {last}"

    drawn, when = deciding(settings, draw)
    typer.echo(f"round {drawn.round}: {drawn.size} people by seed {drawn.seed}, {when}")
    for segment, many in drawn.segments.items():
        terminal.say(f"{many:>6}  {segment}")


def score(
    reservation: Annotated[int, typer.Argument(min=1, max=HIGHEST, help="The callback that asked.")],
    said: Annotated[str, typer.Argument(help=f"0 to 10, or why there is none: {', '.join(WHY_BLANK)}.")],
    by: Who = None,
    settings: SettingsFile = DEFAULT,
) -> None:
    """Keep what a customer of a sample said in a callback, or why nothing; the last word holds."""

    def keep(work: Work) -> None:
        person = asked.of_callback(work, reservation)
        if person is None:
            raise CallbackError(f"callback {reservation} asks nobody for a sample")
        sampling.score(work, asked.key(person), _said(said), By(by or user(), NONE_GIVEN))

    deciding(settings, keep)
    typer.echo(f"kept: {said}")


def check(
    number: Number,
    line: Annotated[str | None, typer.Argument(help=f"{', '.join(kept.LINES)}; without one all are shown.")] = None,
    owner: Annotated[str, typer.Option(help="Who answers for it.")] = "",
    note: Annotated[str, typer.Option(help="A note.")] = "",
    by: Who = None,
    settings: SettingsFile = DEFAULT,
    *,
    done: Annotated[bool, typer.Option("--done", help="It is done.")] = False,
) -> None:
    """Show the checklist, the five S of a crisis, or write a line of it."""
    if line is not None:
        who, said = By(by or user(), NONE_GIVEN), Said(line=line, owner=owner, done=done, note=note)
        deciding(settings, lambda work: checklist.check(work, number, said, who))
    with reading(in_force(settings)) as work:
        progress.one(work, number)
        lines = kept.read(work, number)
    rows = [(one.line, one.owner, "done" if one.done_at else "open", one.note) for one in lines]
    terminal.put(terminal.table(("line", "answers for it", "state", "note"), rows, sentences={"note"}))


def _said(word: str) -> int | Blank:
    for why in WHY_BLANK:
        if why == word:
            return why
    if not word.isascii() or not word.isdigit():
        raise CallbackError(f"'{word}' is no score: write 0 to 10, or {', '.join(WHY_BLANK)}")
    return int(word)
