"""`callback flag …`: a customer is flagged for contact on a later day, and called on it."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from callback.care.flags import Flag
from callback.cli.care.deciding import Reason, by_of, decided
from callback.cli.options import DEFAULT, Limit, SettingsFile, Who, in_force, reading
from callback.cli.tables import care, terminal
from callback.customers import persons
from callback.decisions.care import flags as deciding
from callback.decisions.care.flags import Contact
from callback.errors import CallbackError
from callback.reports.care import flags as listing
from callback.site.work import Work
from callback.site.written import e164_of
from callback.store.engine import HIGHEST

app = typer.Typer(
    help="Customers flagged for contact on a later day: on that day it becomes a callback. By itself: the list."
)
Number = Annotated[int, typer.Argument(min=1, max=HIGHEST, help="The flag, as `callback flag` numbers it.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object in each line.")]


@app.callback(invoke_without_command=True)
def by_itself(context: typer.Context, settings: SettingsFile = DEFAULT) -> None:
    """Show the flags whose day is still to come."""
    if context.invoked_subcommand is None:
        show_list(settings)


@app.command("list")
def show_list(
    settings: SettingsFile = DEFAULT,
    *,
    over: Annotated[
        bool, typer.Option("--over", help="Those that became a callback or were cancelled, instead.")
    ] = False,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Show flags by their days: whom to contact, from which queue, why, and who looks after it."""
    with reading(in_force(settings)) as work:
        found, after = (listing.over if over else listing.to_come)(work, most=limit)
        care.put_flags(work, found, as_json=as_json)
    if after is not None and not as_json:
        terminal.say(f"There are more than these {limit} (--limit)")


@app.command()
def add(
    number: Annotated[str, typer.Argument(help="The customer's number, as signalled or with its country.")],
    day: Annotated[str, typer.Argument(help="On which day of the site's clock: 2026-12-24.")],
    why: Reason,
    queue: Annotated[str, typer.Option("--queue", "-q", help="Whose agents call: care.flags must be on there.")],
    owner: Annotated[str, typer.Option(help="Who looks after it; by default whoever flags.")] = "",
    by: Who = None,
    settings: SettingsFile = DEFAULT,
) -> None:
    """Flag a customer for a day: then it becomes a callback, from the opening on, within hours and caps.

    Example: callback flag add +819012345678 2026-12-24 -q support --why "asks whether the line holds"
    """
    wiring = in_force(settings)
    e164, contact, said = e164_of(wiring, number), Contact(queue, _day(day), owner), by_of(by, why)

    def flag(work: Work) -> Flag:
        return deciding.flag(work, persons.person_of(work.connection, e164, work.now), contact, said)

    made = decided(wiring, flag)
    with reading(wiring) as work:
        terminal.say(care.flag_stands(work, made))


@app.command()
def cancel(number: Number, why: Reason, by: Who = None, settings: SettingsFile = DEFAULT) -> None:
    """Contact this customer no more; a callback that it became, and that was not made yet, is cancelled."""
    wiring, said = in_force(settings), by_of(by, why)
    cancelled = decided(wiring, lambda work: deciding.cancel(work, number, said))
    with reading(wiring) as work:
        terminal.say(care.flag_stands(work, cancelled))


def _day(said: str) -> date:
    try:
        return date.fromisoformat(said)
    except ValueError as error:
        raise CallbackError(f"'{said}' is no day: write it as 2026-12-24") from error
