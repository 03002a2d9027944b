"""`callback import-queue-log`: a site's own history becomes calls, losses, redials, peaks and hints in one step."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from callback.cli.options import in_force, no_option
from callback.cli.tables import progress, terminal
from callback.cli.tables import report as report_tables
from callback.garbage import without_gc
from callback.history.counts import History, site_demand
from callback.history.importing import Imported, Source, read, sources
from callback.history.past_calls import PastCallWriter
from callback.reports import words as report_words
from callback.reports.week import hint_json
from callback.settings.sections import Settings
from callback.store import schema
from callback.store.engine import Store
from callback.store.keys import store_of
from scheduler import clock
from scheduler.clock import local
from scheduler.staffing.learning import peaks
from scheduler.staffing.planning import week
from scheduler.staffing.planning.evidence import Replay
from scheduler.staffing.planning.hints import Hint
from scheduler.staffing.planning.need import StaffingTerms
from scheduler.staffing.planning.queue import Queue
from scheduler.staffing.planning.week import Outlook, Staff

BEST = 5  # hints
NO_END = "of no call is known how it ended"
Zone = Annotated[
    str | None,
    typer.Option(help="The site's time zone, as in Europe/Berlin; by default the settings' or this machine's."),
]
LogZone = Annotated[
    str | None, typer.Option(help="The zone of local times that stand in a log or table; by default the site's.")
]


@without_gc()
def import_queue_log(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Files of a queue_log, plain or .gz, rotations that overlap included, or the URL of the database with "
            "the realtime table queue_log. NAME=FILE: of the PBX of that name.",
        ),
    ],
    pbx: Annotated[str, typer.Option(help="Whose log it is, where a FILE does not say so.")] = "main",
    zone: Zone = None,
    log_zone: LogZone = None,
    settings: Annotated[
        Path | None,
        typer.Option("--settings", "-s", callback=no_option, help="Keep the calls in its database."),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(callback=no_option, help="Keep the calls in this database, as in sqlite:///a.db."),
    ] = None,
    bad_lines: Annotated[int, typer.Option(min=0, max=10_000, help="How many bad lines are listed.")] = 10,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, in the last line.")] = False,
) -> None:
    """Read queue_logs: how calls went, who called again, when callers are lost, and where agents are missing.

    Needs neither a PBX nor settings, and keeps nothing, unless --settings or --database names where. To read a log
    again, or one that overlaps, changes nothing. Our own callbacks are left out.

    Example: callback import-queue-log /var/log/asterisk/queue_log* --zone Europe/Berlin
    """
    wiring = in_force(settings) if settings is not None else None
    history = History(site_zone(zone, wiring), wiring.rules.hours().holidays if wiring else ())
    trunks = tuple(wiring.trunks.values()) if wiring else ()
    wanted = sources(files, pbx, clock.zone(log_zone) if log_zone else history.zone, trunks)
    named = store_named(database, wiring)
    kept = None
    if named is None:
        imported = with_progress(wanted, history, bad_lines)
    else:
        with closing(named) as store:
            schema.migrate(store)
            writer = PastCallWriter(store)
            imported = with_progress(wanted, history, bad_lines, writer)
            kept = writer.finish(imported.stints)
    _told(history, imported, kept, as_json=as_json)


def store_named(database: str | None, wiring: Settings | None) -> Store | None:
    """Give the database that was named, else the settings'; None where there is neither."""
    if database:
        return Store(database)
    return store_of(wiring.database) if wiring else None


def with_progress(wanted: list[Source], history: History, limit: int, writer: PastCallWriter | None = None) -> Imported:
    """Read logs, and show how far it is."""
    size = sum(source.log().size() for source in wanted)
    with progress.shown("reading", size) as further:
        return read(wanted, history, limit, writer.add if writer else None, further)


def site_zone(zone: str | None, wiring: Settings | None) -> ZoneInfo:
    """Give the zone that was named, else the settings', else this machine's."""
    if zone is None:
        zone = wiring.rules.zone if wiring is not None else os.environ.get("TZ") or _machines_zone()
    return clock.zone(zone)


def _machines_zone() -> str:
    """Name the zone that /etc/localtime leads to; UTC where it leads to none."""
    _, found, name = str(Path("/etc/localtime").resolve()).partition("zoneinfo/")
    return name if found else "UTC"


def best_hints(history: History, queues: Mapping[str, Queue]) -> tuple[list[tuple[Outlook, Hint]], str]:
    """Give the hints for the worst days of the week after the last call, estimated; or why there can be none."""
    if not history.last_at:
        return [], "no call is known"
    staff = Staff(history.attendance())
    terms = StaffingTerms(again_share=min(1.0, history.site().again_share))
    first = local(history.last_at, history.zone).date() + timedelta(days=1)
    outlooks = [week.outlook(queue, day, staff, terms) for queue, day in week.worst(queues, first, BEST)]
    found = [
        (each, week.proved(each, hint, queues[each.queue], staff, _sums(queues[each.queue], staff, terms)))
        for each, hint in week.wanting(outlooks)[:BEST]
    ]
    unknown = [each.too_little for each in outlooks if each.too_little]
    if len(unknown) < len(outlooks):
        return found, ""
    return [], unknown[0] if unknown else NO_END


def _sums(queue: Queue, staff: Staff, terms: StaffingTerms) -> Replay:
    return queue.estimated_replay(lambda day: staff.was(queue.name, day), terms)


def _told(history: History, imported: Imported, kept: int | None, *, as_json: bool) -> None:
    queues = history.learnt()
    cells = peaks.heat_map(site_demand(queues.values()), holidays=history.holidays)
    hints, too_little = best_hints(history, queues)
    if as_json:
        terminal.put_json(_json(history, imported, kept, peaks.words(cells), hints))
        return
    console, show = Console(), report_tables.show
    if not history.last_at:
        show(console, [*report_words.faults(imported), report_words.no_call(imported)])
        return
    site = history.site()
    show(console, [f"{imported.all_lines:,} lines, {report_words.span_said(history)}", *report_words.faults(imported)])
    terminal.put(report_tables.counts(history))
    show(console, report_words.reasons(site))
    if history.own_callbacks:
        show(console, [f"left out: {history.own_callbacks:,} of our own callbacks"])
    if imported.agents_calls:
        show(console, [f"left out: {imported.agents_calls:,} calls into queues by agents themselves"])
    show(console, [], "Losses")
    console.print(report_tables.heat(cells))
    show(console, report_words.peaks_said(cells))
    show(
        console,
        [
            f"{each.queue or '(none)'} {each.day:%a} {hint}"
            + (f" ({hint.evidence.estimate()})" if hint.evidence else "")
            for each, hint in hints
        ]
        or [f"too little to say: {too_little}" if too_little else "nobody is missing"],
        "The hints that are about most callers",
    )
    show(console, ["callback hints FILE... proves each by living past days again, and reads a roster."])
    show(console, report_words.NOT_TOLD, "What this log cannot tell")
    if kept is not None:
        show(console, [f"{kept:,} calls are new in the database"])


def _json(
    history: History, imported: Imported, kept: int | None, words: list[str], hints: list[tuple[Outlook, Hint]]
) -> dict[str, Any]:
    faults = imported.faults
    told: dict[str, Any] = history.site().as_json() | {
        "queues": {name: one.as_json() for name, one in sorted(history.queues.items())},
        "own_callbacks": history.own_callbacks,
        "agents_calls": imported.agents_calls,
        "lines": imported.all_lines,
        "bad_lines": len(faults),
        "bad_lines_by_reason": dict(faults.counts),
        "bad_lines_first": [{"place": one.place, "why": one.why} for one in faults],
        "not_believed": dict(imported.doubts),
        "from": _moment(history, history.first_at),
        "until": _moment(history, history.last_at),
        "zone": history.zone.key,
        "peaks": words,
        "hints": [hint_json(each, hint, proved=False) for each, hint in hints],
        "not_told": list(report_words.NOT_TOLD),
    }
    return told if kept is None else told | {"new_in_database": kept}


def _moment(history: History, at: int) -> str | None:
    return local(at, history.zone).isoformat(timespec="seconds") if at else None
