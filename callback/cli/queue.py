"""`callback queue`: who waits for a callback, and why nobody has called yet."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from callback.cli.options import DEFAULT, SettingsFile, reading
from callback.cli.tables import queue as queue_table
from callback.cli.tables import terminal
from callback.clock import user
from callback.errors import CallbackError
from callback.reports import queue as queue_report
from callback.reports.queue import State, Wanted
from callback.settings.sections import load

SEEN: Final = 200  # at a terminal: what is looked for is found by the options
MOST: Final = 10_000


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
    limit: Annotated[
        int | None,
        typer.Option(min=1, max=MOST, help=f"At most so many; else {SEEN} at a terminal, all in a pipe and as JSON."),
    ] = None,
) -> None:
    """Show the open reservations: deadline, time left, and why each has not been called yet.

    Examples: callback queue --overdue · callback queue --mine · callback queue | grep 5155512345
    """
    wiring = load(settings)
    most = limit or (SEEN if terminal.is_seen() and not as_json else MOST)
    wanted = Wanted(queue, state, overdue, user() if mine else assigned)
    if closed and state is not None:
        raise CallbackError("--closed shows those that are open no more, and --state those that are: say one of them")
    with reading(wiring) as work:
        rows = (queue_report.left_to_people if closed else queue_report.open_reservations)(work, most, wanted)
        if queue is not None and not rows:
            queue_report.must_be_known(work, queue)
        last_line = "" if closed or as_json else queue_report.totals(work, wanted)
    if as_json:
        for row in rows:
            terminal.put_json(row.as_json())
        return
    some = wanted != queue_report.EVERYBODY
    nobody = "Nobody is left to people." if closed else "Nobody waits for a callback."
    if len(rows) == most:
        shown = "left last" if closed else "with the nearest deadline"
        last_line = "; ".join(filter(None, (last_line, f"those {most} {shown} are shown (--limit)")))
    queue_table.show(rows, wiring.rules.hours().zone, "Nobody like that." if some else nobody, last_line=last_line)
