"""Whether what the service keeps can be written, and by whom else: the database and its lease, the audit, files."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, update
from sqlalchemy.exc import DBAPIError

from callback.errors import CallbackError, StoreError
from callback.operations.doctor.finding import Finding, fault, sound, warning
from callback.settings.sections import Settings, secret_files
from callback.store import audit, keys, lease, schema
from callback.store import tables as t
from callback.store.engine import Store, clock
from telephony.listening.signatures import signatures
from telephony.private import is_changed_by_others, is_open_to_others


def look(settings: Settings) -> Iterator[Finding]:
    """Look whether the database takes what the service writes, whose turn it is, and whether the audit is whole."""
    try:
        with closing(keys.store_of(settings.database)) as store:
            yield from _of_store(store, settings)
    except (CallbackError, DBAPIError) as error:
        yield fault("database cannot be written", str(error) if isinstance(error, CallbackError) else str(error.orig))


def _of_store(store: Store, settings: Settings) -> Iterator[Finding]:
    if not store.is_there or _is_empty(store):
        yield from _of_folder(store)
        return
    with store.write() as connection:  # a file that may only be read is found by writing alone; nothing is changed
        connection.execute(update(t.lease).where(t.lease.c.name == "").values(fence=0))
    with store.read() as connection:
        yield from _of_lease(connection, settings)
        yield _of_audit(connection)


def _is_empty(store: Store) -> bool:
    with store.read() as connection:
        return schema.revision_of(connection) is None


def _of_folder(store: Store) -> Iterator[Finding]:
    """SQLite writes beside its file, too."""
    name = store.engine.url.database
    if store.dialect == "sqlite" and name and not os.access(Path(name).parent, os.W_OK | os.X_OK):
        yield fault(f"database: {Path(name).parent} cannot be written", "chown it to the service's user")


def _of_lease(connection: Connection, settings: Settings) -> Iterator[Finding]:
    row, host = lease.holder(connection, f"pbx:{settings.pbx.name}"), socket.gethostname()
    if row is None:
        return
    inherited = row.owner in signatures(settings.pbx.journal / settings.pbx.name)
    if row.until_at > clock(connection):
        yield sound(f"the service runs on {row.host} ({row.owner})")
    elif lease.is_foreign(connection, row, host) and not inherited:
        remedy = f"no service on '{row.host}' any more: callback lease take --why \"…\"; else run it there alone"
        yield fault(f"this SQLite database was served on host '{row.host}', this is '{host}'", remedy)
    else:
        yield sound(f"no service runs now; the last one ran on {row.host}")


def _of_audit(connection: Connection) -> Finding:
    broken = audit.broken_at(connection)
    if broken is None:
        return sound(f"audit: {audit.head(connection).rows} rows, whole (callback audit check --anchor … proves more)")
    remedy = "keep a copy of this database as it is, and compare it with the backups from before"
    return fault(f"the audit was tampered with: its chain is broken at {broken}", remedy)


def key(settings: Settings) -> Finding:
    """Look whether a copy of the database opens what stands in it as keyed hashes, and whether the key is ours."""
    with closing(keys.store_of(settings.database)) as store:
        try:
            new = not store.is_there or _is_empty(store)
            if not new:
                keys.check(store)
        except StoreError as error:
            return fault("the site's key", str(error))
        if store.outside is None:
            return warning(keys.INSIDE, keys.REMEDY)
        if new:
            return sound(f"the site's key is made at the first run, outside of the database: {store.outside}")
        if keys.is_inside(store):
            return warning("the site's key is still in the database", "restart `callback run` with these settings")
        beside = store.outside.file and store.outside.file.parent == Path(store.engine.url.database or "").parent
        if beside and store.dialect == "sqlite":
            remedy = "stop the service, move the key to another folder, and name it there"
            return warning(f"{store.outside} lies beside the database: whoever copies the folder has both", remedy)
        return sound(f"the site's key is not in the database: {store.outside}")


def files(path: Path, settings: Settings) -> Iterator[Finding]:
    """Look whether another user of the machine may read secrets or the numbers of callers, or change what is kept."""
    told = False
    for place in _private(path, settings):
        if finding := _of_rights(place, is_secret=place in _secret(path, settings)):
            told = True
            yield finding
    if not told:
        yield sound(
            "secrets and numbers are readable by the service's user and group alone, and nobody else changes them"
        )


def _of_rights(place: Path, *, is_secret: bool) -> Finding | None:
    """Say what another user may do with a file or folder; None: nothing."""
    what = "secrets" if is_secret else "numbers of callers"
    if is_open_to_others(place):
        return warning(
            f"{place} holds {what}, and every user of this machine can read it",
            f"chmod {'700' if place.is_dir() else '600'} {place}",
        )
    if is_changed_by_others(place):
        return warning(
            f"{place} holds {what}, and others than its owner may change it or put another in its place",
            f"chmod go-w {place} {place.resolve().parent}",
        )
    return None


def _secret(path: Path, settings: Settings) -> list[Path]:
    key = settings.database.key_file
    return [path, *secret_files(path), *([key] if key else [])]


def _private(path: Path, settings: Settings) -> Iterator[Path]:
    yield from _secret(path, settings)
    file = settings.database.url.removeprefix("sqlite:///")
    if file != settings.database.url and not file.startswith("file:"):
        yield from (Path(file), Path(f"{file}-wal"))
    yield settings.pbx.journal / settings.pbx.name
