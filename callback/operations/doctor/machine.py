"""What is looked at on this machine without the PBX: settings, clock, database schema, folders, logs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy.exc import DatabaseError

from callback.clock import now_us
from callback.errors import CallbackError
from callback.operations.doctor.finding import Finding, fault, sound, warning
from callback.settings.sections import PbxWiring, Settings
from callback.store import schema
from callback.store.engine import Store
from callback.store.keys import store_of
from scheduler.clock import MINUTE, local, zone
from telephony.cdr import Cdr
from telephony.private import is_seen

_WRITTEN_LATE = 10 * MINUTE  # a record stands in the file some seconds after its call's end; in batches, some minutes


def switched(settings: Settings) -> str:
    """Say for which queues callbacks are switched on, and for how many numbers where it is not for all."""
    on = {name: queue.only_numbers for name, queue in settings.rules.queues.items() if queue.calls == "on"}
    said = [f"{name} (its {len(only)} only_numbers alone)" if only else name for name, only in on.items()]
    return f"calls are on for {', '.join(said)}" if said else "watching only: calls are on for no queue"


def site_time(settings: Settings) -> Finding:
    """Say what time it is at the site, by which people see whether it is the site's."""
    rules = settings.rules
    quiet = f"no phone rings from {rules.no_ring_after:%H:%M} to {rules.no_ring_before:%H:%M}"
    return sound(f"it is {local(now_us(), rules.hours().zone):%H:%M} in {rules.zone}, where {quiet}")


def database(settings: Settings) -> Finding:
    """Look for a database that can be opened, with a schema that is ours and not older than this program."""
    try:
        with closing(store_of(settings.database)) as store:
            found = _schema(store)
    except CallbackError as error:
        return fault("database", str(error))
    except DatabaseError as error:
        return fault(f"database: {error.orig}", "[database] url must name a database of ours, or none yet")
    if found not in (None, newest := schema.newest()):
        later = newest is not None and found > newest  # they are numbered
        remedy = "install the later version that made it" if later else "start `callback run` once: it migrates"
        return fault(f"database has schema {found}", remedy)
    return sound(f"database {store.where}: {f'schema {found}' if found else 'new, made at the first run'}")


def _schema(store: Store) -> str | None:
    """The schema of the database; None where it is still to be made."""
    if not store.is_there:
        return None
    with store.read() as connection:
        return schema.revision_of(connection)


def folders(wiring: PbxWiring) -> Iterator[Finding]:
    """Look whether the journal can be written, and the records of a gap can be read where they are named."""
    place = wiring.journal
    while not is_seen(place) and place != place.parent:
        place = place.parent
    if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
        yield sound(f"journal in {wiring.journal}")
    else:
        yield fault(
            f"journal: {place} is no folder that can be written", "[pbx] journal must name one, on a local disk"
        )
    yield queue_log(wiring.queue_log)
    if wiring.cdr:
        yield call_records(wiring.cdr, wiring.cdr_zone)


def queue_log(named: str) -> Finding:
    """Look at the record from which losses during an outage are learnt; a table is looked at when it is read."""
    if not named:
        remedy = "[pbx] queue_log = the file (/var/log/asterisk/queue_log), if it can be read from here, or its table"
        return warning("queue_log is not named: callers who are lost while nobody listens stay unknown", remedy)
    if "://" in named:
        return sound("queue_log is a table")
    if not _is_file(Path(named)):
        remedy = "[pbx] queue_log: see astlogdir in asterisk.conf, and let the service's user into that folder"
        return fault(f"queue_log: there is no file {named}", remedy)
    if not os.access(named, os.R_OK):
        remedy = "let the service's user read it: put that user into Asterisk's group (usermod -aG asterisk …)"
        return fault(f"queue_log {named} cannot be read", remedy)
    return sound(f"queue_log {named}")


def _is_file(path: Path) -> bool:
    return is_seen(path) and path.is_file()


def call_records(named: str, named_zone: str) -> Finding:
    """Look whether the call records prove anything: with Uniqueids, and in the zone that is named."""
    path = Path(named)
    if not _is_file(path):
        remedy = "[pbx] cdr names Master.csv of cdr_csv.so below astlogdir; it is made with the first call"
        return warning(f"call records: there is no file {named}", remedy)
    if not os.access(path, os.R_OK):
        return fault(f"call records {named} cannot be read", "let the service's user read them, as the queue_log")
    last, about = Cdr(path, zone(named_zone)).last(), path.stat()
    if about.st_size and last is None:
        remedy = "cdr.conf: loguniqueid = yes under [csv], `module reload cdr_csv.so`"
        return warning(f"call records {named}: none has a Uniqueid, so they prove nothing", remedy)
    if last is not None and abs(about.st_mtime_ns // 1000 - last.ended_at) > _WRITTEN_LATE:
        ended, written = (f"{local(at, zone(named_zone)):%H:%M}" for at in (last.ended_at, about.st_mtime_ns // 1000))
        remedy = "cdr.conf: usegmtime = yes under [csv]; or [pbx] cdr_zone: the zone of their times"
        return warning(
            f"call records {named}: the last says {ended} and was written at {written} ({named_zone})", remedy
        )
    return sound(f"call records {named}")
