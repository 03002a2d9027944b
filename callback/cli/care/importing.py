"""A file of complaints is registered from the terminal, and what became of it is said."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from callback.cli.care.deciding import decided
from callback.cli.options import looking
from callback.cli.tables import progress, terminal
from callback.clock import now_us
from callback.decisions.care import complaints_file
from callback.decisions.care.acting import Actor
from callback.decisions.care.importing import Do, Imported, Outcome, take
from callback.settings.sections import Settings
from callback.store.keys import store_of


def imported(wiring: Settings, file: Path, queue: str, actor: Actor, *, dry: bool) -> Imported:
    """Register each line, some in one transaction; with `dry`, only look."""
    reading = complaints_file.Reading(now_us(), wiring.rules.hours().zone, queue)

    def looked(do: Do) -> list[Outcome]:
        with closing(store_of(wiring.database)) as store, looking(store, wiring) as work:
            return do(work)

    with progress.shown("registering", file.stat().st_size) as further:
        lines = complaints_file.read(file, reading, further)
        return take(lines, looked if dry else lambda do: decided(wiring, do), actor, dry=dry)


def put(found: Imported, *, dry: bool, most: int, as_json: bool) -> None:
    """Say what became of a file: bad lines first, so that the sum stands last."""
    if as_json:
        bad = [{"line": one.line, "why": one.why} for one in found.bad[:most]]
        figures = {"new": found.new, "joined": found.joined, "known": found.known, "bad": found.bad_count}
        terminal.put_json({**figures, "dry_run": dry, "bad_lines": bad})
        return
    for one in found.bad[:most]:
        terminal.say(f"line {one.line}: {one.why}", error=True)
    if found.bad_count > most:
        terminal.say(f"and {found.bad_count - most:,} lines more that could not be used", error=True)
    done = "could be registered" if dry else "registered"
    terminal.say(
        f"{found.new:,} {done}, {found.joined:,} joined a case that was open, {found.known:,} known already,"
        f" {found.bad_count:,} could not be used"
    )
    if dry:
        terminal.say("nothing was changed: this was a dry run")
