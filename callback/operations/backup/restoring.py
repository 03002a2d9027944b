"""Make a database of a backup: of either kind, of this version's schema, all of it or nothing.

What stood in it is as it was. What is of the host that died is not: its leases have ended, nobody is signed in, texts
that waited count as perhaps sent. What happened since the backup nobody knows: see `callback/operations/restored.py`.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, MetaData, Table, bindparam, func, insert, inspect, select, update

from callback.errors import CallbackError, StoreError
from callback.events import Restored
from callback.operations.backup import form
from callback.operations.backup.form import Columns, Head, Rows
from callback.store import audit, feed, keys, marking, restored, schema
from callback.store import tables as t
from callback.store.audit import By
from callback.store.engine import Store, clock
from callback.store.outside import is_root
from sms import outbox, withheld

_BESIDE: Final = frozenset({"alembic_version"})
_AT_ONCE: Final = 10_000
ROOM: Final = 100_000
"""Numbers that are left free after the last one of the backup: the service gave some of them away since."""
_FEED_ROOM: Final = 1_000_000_000
_FENCE_ROOM: Final = 1_000_000
_HELD: Final = select(t.lease.c.owner).where(t.lease.c.until_at > bindparam("now"))
_LAST_WRITTEN: Final = (
    select(t.checkpoint.c.updated_at.label("committed_at"), t.live_view.c.seen_at)
    .outerjoin(t.live_view, t.live_view.c.pbx == t.checkpoint.c.pbx)
    .where(t.checkpoint.c.pbx == bindparam("of_pbx"))
)
_STOP: Final = update(t.campaign).where(t.CAMPAIGN_RUNNING).values(state="stopped")
_PRESENCE: Final = frozenset({"node", "line", "on_the_line"})
"""What is of the processes that ran, and of no others."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a backup is restored, by whom: `replace` what stands there, and `to_people` whoever was owed a callback."""

    by: By
    now: int
    replace: bool = False
    to_people: bool = False


def restore(
    store: Store, path: Path, wanted: Wanted, further: Callable[[int], None] = lambda _: None
) -> tuple[Head, list[str]]:
    """Fill a database, and give the backup's head and the PBXs whose past since then is not known.

    The backup was proved before. CallbackError, and nothing changed, where the database is in use or the key of its
    site is missing.
    """
    with form.opened(path, further) as (head, items), store.migration() as connection:
        if head.schema not in schema.revisions():
            raise StoreError(
                f"{path} was made by a later version of the service (schema {head.schema}): install that version"
            )
        _make_way(store, connection, replace_all=wanted.replace)
        schema.upgrade(connection, head.schema)
        marking.remove(connection)
        for item in items:
            if isinstance(item, Rows):
                _load(connection, item)
        schema.upgrade(connection)
        keys.make_root(connection)
        _number_on(connection, (*t.metadata.sorted_tables, *outbox.metadata.sorted_tables), ROOM)
        pbxs = _mark(connection, head, wanted)
        _number_on(connection, (t.happened, outbox.text_outbox), 0)
    return head, pbxs


def put_key_back(store: Store, key: str) -> bool:
    """Keep the site's key where the settings want it, if it is not there; say whether it was put there."""
    if store.outside is None or store.outside.read() is not None:
        return False
    if not is_root(key):
        raise CallbackError("the key in this backup is none")
    return store.outside.keep(key) == key


def _make_way(store: Store, connection: Connection, *, replace_all: bool) -> None:
    found = inspect(connection)
    names = [name for name in found.get_table_names() if name not in _BESIDE]
    if "lease" in names:
        held = connection.execute(_HELD, {"now": clock(connection)}).scalar()
        if held is not None:
            raise StoreError(f"{store.where} is served by {held}: stop the service first, on every host")
    full = next((name for name in names if _has_rows(connection, name)), None)
    if full is not None and not replace_all:
        raise StoreError(
            f"{store.where} is not empty (there are rows in {full}): name a new database, or say --replace, and all"
            " that stands there is deleted"
        )
    marking.remove(connection)
    everything = MetaData()
    everything.reflect(connection)
    everything.drop_all(connection)


def _has_rows(connection: Connection, table: str) -> bool:
    return connection.exec_driver_sql(f'SELECT 1 FROM "{table}" LIMIT 1').first() is not None  # noqa: S608


def _load(connection: Connection, item: Rows) -> None:
    columns, rows = item.columns, item.rows
    if columns.table in _PRESENCE:
        return
    if columns.table == "lease":
        rows = [_ended(columns, row) for row in rows]
    names = ", ".join(f'"{name}"' for name in columns.names)
    if connection.dialect.name == "postgresql":
        raw: Any = connection.connection.driver_connection
        with raw.cursor() as cursor, cursor.copy(f'COPY "{columns.table}" ({names}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join("?" * len(columns.names))
    into = f'INSERT INTO "{columns.table}" ({names}) VALUES ({marks})'  # noqa: S608 - of a schema of ours
    connection.exec_driver_sql(into, [tuple(row) for row in rows])


def _ended(columns: Columns, row: form.Row) -> list[Any]:
    """A lease that nobody holds; whoever takes it has a higher number than all who held it."""
    values = dict(zip(columns.names, row, strict=True))
    values |= {"owner": "", "host": socket.gethostname(), "until_at": 0, "fence": values["fence"] + _FENCE_ROOM}
    return [values[name] for name in columns.names]


def _number_on(connection: Connection, tables: Iterable[Table], room: int) -> None:
    """Leave so much room for numbers that the service gave away since, where the database keeps the next one."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables:
        if (column := table.autoincrement_column) is not None:
            last = f'SELECT coalesce(max("{column.name}"), 0) + {room} FROM "{table.name}"'  # noqa: S608 - of the schema
            sequence = f"pg_get_serial_sequence('\"{table.name}\"', '{column.name}')"
            connection.exec_driver_sql(f"SELECT setval({sequence}, greatest(({last}), 1))")


def _mark(connection: Connection, head: Head, wanted: Wanted) -> list[str]:
    """Say in the database that it was restored: nobody is rung or texted before that was compared.

    A campaign that ran is stopped: whom it told since, nobody knows, so people decide whether it goes on. What is
    written of it has the numbers from which events and texts go on: those before were given away since.
    """
    pbxs = list(connection.execute(select(t.checkpoint.c.pbx).order_by(t.checkpoint.c.pbx)).scalars())
    numbered = (t.reservation, t.care_case, t.contact_flag, t.campaign)
    last = max(connection.execute(select(func.max(table.c.id))).scalar() or 0 for table in numbered)
    unsure = withheld.count_as_unknown(connection, "restored from a backup: it may have left since", wanted.now, ROOM)
    connection.execute(_STOP)
    for pbx in pbxs:
        open_one = restored.pending(connection, pbx)
        to_people = wanted.to_people or (open_one is not None and open_one.to_people)
        facts = {"restored_at": wanted.now, "first_free": last + ROOM + 1, "to_people": to_people}
        since = _unknown_since(connection, pbx, head, open_one)
        connection.execute(insert(t.restored).values(pbx=pbx, backup_at=since, **facts))
        said = {"backup_at": head.made_at, "rows": head.rows, "texts": unsure}
        audit.add(connection, pbx, wanted.by, "restored", None, said, wanted.now)
        feed.append_behind(connection, pbx, Restored(head.made_at, unsure), wanted.now, _FEED_ROOM)
    return pbxs


def _unknown_since(connection: Connection, pbx: str, head: Head, open_one: restored.Restored | None) -> int:
    """Give when its service wrote last in these rows: what it did later, it did in rows that are lost.

    A backup of a copy that was put back by other means was made long after that, and so was one of a database that
    was restored and not compared yet.
    """
    last = connection.execute(_LAST_WRITTEN, {"of_pbx": pbx}).one()
    known: list[int] = [head.made_at, max(last.committed_at, last.seen_at or 0)]
    return min(known if open_one is None else [*known, open_one.backup_at])
