"""`callback find`: the whole story of one number, on one screen."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from callback.cli.options import DEFAULT, SettingsFile, in_force, reading
from callback.cli.tables import queue as queue_table
from callback.cli.tables import terminal
from callback.cli.tables.timeline import speech
from callback.reports import person as person_report
from callback.reports.queue.board import Queue
from callback.reports.timeline import sentences, story
from callback.reservations.reservation import Reservation
from callback.site.work import Work
from callback.site.written import number_of
from scheduler.clock import local, shown


def find(
    number: Annotated[str, typer.Argument(help="With its country, as people here dial it, or its last digits.")],
    settings: SettingsFile = DEFAULT,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many events, the newest.")] = 40,
) -> None:
    """Tell all about one number: calls, reservations, promises, texts, attempts, decisions and answers.

    Examples: callback find +815155512345 · callback find 5155512345 · callback find 2345
    """
    wiring = in_force(settings)
    zone = wiring.rules.hours().zone
    with reading(wiring) as work:
        person = person_report.find(work.connection, number_of(wiring, number), number)
        reservations = person_report.reservations(work.connection, work.pbx, person.id)
        blocked = person_report.blocked(work.connection, person.number)
        entries = story.of_person(work, person.id)
        stands = [_stands(work, row) for row in reservations]
        told = speech(work.now, zone)
    lines = [sentences.said(one, told) for one in entries]
    if as_json:
        rows = [{name: fact for name, fact in asdict(one).items() if name != "e164"} for one in reservations]
        events = [one.as_json() | {"told": line} for one, line in zip(entries, lines, strict=True)]
        terminal.put_json({"number": person.number, "blocked": blocked, "reservations": rows, "events": events})
        return
    terminal.say(f"{person.number}: blocked for {blocked}" if blocked else person.number)
    for line in stands:
        terminal.say(line)
    cells = [
        (_when(one.at, zone), one.WHAT, _name(one.reservation), line)
        for one, line in list(zip(entries, lines, strict=True))[-limit:]
    ]
    terminal.put(terminal.table(("when", "what", "#", "told"), cells, sentences={"told"}))
    if len(entries) > limit:
        terminal.say(f"{len(entries) - limit} earlier ones are not shown (--limit)")


def _stands(work: Work, row: Reservation) -> str:
    """Say how a reservation stands: an open one as the queue shows it."""
    zone = work.site.hours.zone
    closed = f"#{row.id} {row.queue}: {row.state} since {shown(row.state_since_at, work.now, zone)}"
    if not row.open:
        return closed
    return next((queue_table.said(one, zone) for one in Queue(work).by_id([row.id])), closed)


def _when(at: int, zone: ZoneInfo) -> str:
    return f"{local(at, zone):%m-%d %H:%M:%S}"


def _name(reservation: int | None) -> str:
    return "" if reservation is None else f"#{reservation}"
