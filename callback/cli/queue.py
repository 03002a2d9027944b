"""`callback queue`: who waits for a callback, and why nobody has called yet."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from callback.cli.options import DEFAULT, SettingsFile, in_force, reading
from callback.cli.tables import queue as queue_table
from callback.cli.tables import terminal
from callback.clock import user
from callback.errors import CallbackError
from callback.reports.queue import board, closed
from callback.reports.queue.lanes import Sort
from callback.reports.queue.wanted import EVERYBODY, State, Wanted

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
    left: Annotated[bool, typer.Option("--closed", help="Those left to people instead: not reached in time.")] = False,
    sort: Annotated[Sort, typer.Option(help="By the nearest deadline, or as they are called: dispatcher.")] = (
        Sort.DEADLINE
    ),
    limit: Annotated[
        int | None,
        typer.Option(min=1, max=MOST, help=f"At most so many; else {SEEN} at a terminal, all in a pipe and as JSON."),
    ] = None,
) -> None:
    """Show the open reservations: deadline, time left, and why each has not been called yet.

    Examples: callback queue --overdue · callback queue --mine · callback queue | grep 5155512345
    """
    wiring = in_force(settings)
    most = limit or (SEEN if terminal.is_seen() and not as_json else MOST)
    whose = user() if mine else assigned
    wanted = Wanted(
        queues=frozenset({queue} if queue is not None else ()),
        states=frozenset({state} if state is not None else ()),
        whose=frozenset({whose} if whose is not None else ()),
        overdue=overdue,
    )
    if left and state is not None:
        raise CallbackError("--closed shows those that are open no more, and --state those that are: say one of them")
    with reading(wiring) as work:
        seen = board.Queue(work)
        rows = (
            list(closed.page(work, closed.LEFT, wanted, most).rows) if left else board.in_list(seen, wanted, sort, most)
        )
        if queue is not None and not rows:
            board.must_be_known(work, queue)
        last_line = "" if left or as_json else queue_table.totals(seen.counts(wanted))
    if as_json:
        for row in rows:
            terminal.put_json(row.as_json())
        return
    some = wanted != EVERYBODY
    nobody = "Nobody is left to people." if left else "Nobody waits for a callback."
    if len(rows) == most:
        shown = "left last" if left else _FIRST[sort]
        last_line = "; ".join(filter(None, (last_line, f"those {most} {shown} are shown (--limit)")))
    queue_table.show(rows, wiring.rules.hours().zone, "Nobody like that." if some else nobody, last_line=last_line)


_FIRST: Final = {
    Sort.DEADLINE: "with the nearest deadline",
    Sort.DISPATCHER: "who are called first",
    Sort.NEWEST: "lost last",
    Sort.LOSSES: "with the most losses",
}
