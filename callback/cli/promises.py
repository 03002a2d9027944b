"""`callback promises`: how promises were kept, three rates always apart, and beside them what counts in none."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from callback.cli.options import DEFAULT, SettingsFile, reading
from callback.cli.tables import terminal
from callback.reports import rates as promise_rates
from callback.reports.incidents import held_by_queue
from callback.reports.rates import WITHIN_MIN, Rates
from callback.settings.sections import load
from scheduler.clock import begins, local

_WHAT = ("dialled", "reached", "closed")


def promises(
    settings: SettingsFile = DEFAULT,
    *,
    today: Annotated[bool, typer.Option("--today", help="Those made since midnight, on the site's clock.")] = False,
    days: Annotated[int, typer.Option(min=1, max=3660, help="Those of so many days, today among them.")] = 28,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line for each queue.")] = False,
) -> None:
    """Show how promises were kept: first dialled, reached, closed by rule, each within 30 and within 60 minutes.

    Measured on valid reservations whose time is over. Refused numbers and losses without a number are no part of them;
    whom an incident holds is, and is counted apart besides.
    """
    with reading(load(settings)) as work:
        zone = work.site.hours.zone
        since = begins(local(work.now, zone).date() - timedelta(days=0 if today else days - 1), zone)
        rates = promise_rates.rates(work.connection, work.pbx, since, work.now)
        held = held_by_queue(work)
    if as_json:
        for one in rates:
            terminal.put_json(one.as_json() | {"in_incident": _of(held, one.queue)})
        return
    if not any(one.valid or one.refused or one.numberless for one in rates):
        terminal.say("Nothing was promised in that time.")
        return
    heads = ["queue", "valid", *(f"{what}\n@{'/@'.join(map(str, WITHIN_MIN))}" for what in _WHAT)]
    heads += ["carried\nover", "called\nagain", "refused", "no\nnumber", "held by\nincident"]
    rows = [_row(one, _of(held, one.queue)) for one in rates]
    terminal.put(terminal.table(heads, rows, names={"queue"}, figures=heads[1:]))


def _of(held: dict[str, int], queue: str) -> int:
    return held.get(queue, 0) if queue else sum(held.values())


def _row(one: Rates, held: int) -> list[str]:
    rates = ("/".join(_share(one.share(what, minutes)) for minutes in WITHIN_MIN) for what in _WHAT)
    counts = (one.carried_over, one.returned, one.refused, one.numberless, held)
    return [one.queue or "all", str(one.valid), *rates, *map(str, counts)]


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
