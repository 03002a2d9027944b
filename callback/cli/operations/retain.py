"""`callback retain`: what is forgotten by its age, and how much of it is due."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import Annotated

import typer
from sqlalchemy import Connection

from callback.cli.options import DEFAULT, SettingsFile, reading
from callback.cli.tables import progress, terminal
from callback.clock import now_us
from callback.operations.retention import forgetting
from callback.operations.retention.kinds import Kind, Old
from callback.settings.sections import Settings, load
from callback.site.context import current
from callback.site.work import Work
from callback.store.engine import Store
from callback.store.keys import store_of
from scheduler.clock import local


def retain(
    settings: SettingsFile = DEFAULT,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Forget nothing: say what would go now.")] = False,
) -> None:
    """Forget what was kept for as long as section retention says. The service does so by itself, every hour.

    Rows stay, without what is of a person; who is owed a callback is left alone.
    """
    wiring = load(settings)
    with reading(wiring) as work:
        found = forgetting.due(work, wiring.retention)
        zone = work.site.hours.zone
    for kind, before, old in found:
        since = "kept for good" if before is None else f"before {local(before, zone):%Y-%m-%d}"
        oldest = "" if old.oldest_at is None else f", the oldest of {local(old.oldest_at, zone):%Y-%m-%d}"
        terminal.say(f"{kind.what}: {since}: {old.rows}{oldest}")
    if not dry_run and any(old.rows for _, _, old in found):
        with closing(store_of(wiring.database)) as store:
            _forget(store, wiring, [(kind, old) for kind, _, old in found])


def _forget(store: Store, wiring: Settings, found: list[tuple[Kind, Old]]) -> None:
    gone: dict[str, int] = {}
    with progress.shown("retain", sum(old.rows for _, old in found)) as further:
        for kind, _ in found:
            while done := store.transact(partial(_piece, wiring, kind)):
                gone[kind.name] = gone.get(kind.name, 0) + done
                further(done)
    store.transact(lambda connection: forgetting.keep_in_audit(_work(connection, wiring), gone))
    terminal.say(f"forgotten: {', '.join(f'{rows} {name}' for name, rows in gone.items())}")


def _piece(wiring: Settings, kind: Kind, connection: Connection) -> int:
    return forgetting.forget(_work(connection, wiring), kind, wiring.retention)


def _work(connection: Connection, wiring: Settings) -> Work:
    now = now_us()
    return Work(connection, current(connection, wiring, now), now)
