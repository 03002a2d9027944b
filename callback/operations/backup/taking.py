"""Take a backup while the service works: all tables from one snapshot, read row by row."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from sqlalchemy import JSON, Boolean, Connection, inspect, text

from callback.errors import CallbackError, StoreError
from callback.operations.backup import form
from callback.operations.backup.form import Columns, Head, KeptFile
from callback.settings.sections import Settings
from callback.site import scripts
from callback.store import keys, schema
from callback.store.engine import Store, clock

LEFT_OUT: Final = frozenset({"alembic_version", "login_session"})
"""The revision stands in the head; who was signed in signs in again."""
_AT_ONCE: Final = 500
_BIT_BY_BIT: Final = {"stream_results": True, "max_row_buffer": _AT_ONCE}
_IN_ORDER: Final = {"audit": "id"}  # it is proved as it is read


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup that was written."""

    head: Head
    digest: str
    files: int


def take(
    store: Store,
    path: Path,
    files: Iterable[KeptFile] = (),
    *,
    with_key: bool = False,
    begun: Callable[[Head], None] = lambda _: None,
    further: Callable[[int], None] = lambda _: None,
) -> Taken:
    """Write all of a database into a file; `begun` is told its head, `further` how many rows more there are.

    Nothing waits for it: SQLite's writers add to their log meanwhile, PostgreSQL's keep old rows.
    """
    kept = list(files)
    with store.snapshot() as connection:
        revision = schema.revision_of(connection)
        if revision is None:
            raise StoreError(f"{store.where} holds no data of this service: nothing is to be kept")
        tables = list(_tables(connection))
        counts = {table.table: _count(connection, table.table) for table in tables}
        made = metadata.version("lost-call-recovery")
        head = Head(revision, clock(connection), store.dialect, made, socket.gethostname(), counts)
        begun(head)
        if with_key:
            kept.append(KeptFile("key", "site.key", keys.make_root(connection)))
        with form.written(path) as out:
            out.head(head)
            for table in tables:
                out.columns(table)
                for rows in _rows(connection, table):
                    out.rows(table.table, rows)
                    further(len(rows))
            for one in kept:
                out.file(one)
            digest = out.end()
    return Taken(head, digest, len(kept))


def files_of(settings_file: Path, settings: Settings) -> Iterator[KeptFile]:
    """Give the settings file, the site's own texts, and its scripts for agents."""
    yield KeptFile("settings", settings_file.name, _text(settings_file))
    if settings.texts.templates is not None:
        for one in sorted(settings.texts.templates.glob("*.toml")):
            yield KeptFile("template", one.name, _text(one))
        for one in sorted((settings.texts.templates / scripts.FOLDER).glob("*.toml")):
            yield KeptFile("script", one.name, _text(one))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CallbackError(f"{path} cannot be read: let it be, or read by whoever makes the backup") from error


def _tables(connection: Connection) -> Iterator[Columns]:
    """Give the tables as they are, whatever their revision; none before one that it refers to."""
    found = inspect(connection)
    for name, _ in found.get_sorted_table_and_fkc_names():
        if name is None or name in LEFT_OUT:
            continue
        columns = found.get_columns(name)
        json = [column["name"] for column in columns if isinstance(column["type"], JSON)]
        boolean = [column["name"] for column in columns if isinstance(column["type"], Boolean)]
        yield Columns(name, [column["name"] for column in columns], json, boolean)


def _count(connection: Connection, table: str) -> int:
    return int(connection.exec_driver_sql(f'SELECT count(*) FROM "{table}"').scalar_one())  # noqa: S608 - of the schema


def _rows(connection: Connection, columns: Columns) -> Iterator[list[list[Any]]]:
    """Give the rows of a table in pieces, as they were when the snapshot was taken."""
    as_text = set(columns.json) if connection.dialect.name == "postgresql" else set[str]()
    shown = ", ".join(f'CAST("{name}" AS TEXT)' if name in as_text else f'"{name}"' for name in columns.names)
    order = f' ORDER BY "{_IN_ORDER[columns.table]}"' if columns.table in _IN_ORDER else ""
    asked = f'SELECT {shown} FROM "{columns.table}"{order}'  # noqa: S608 - names of the schema
    boolean = [columns.names.index(name) for name in columns.boolean]
    # Not by exec_driver_sql, which fetches all of it at once
    with connection.execute(text(asked), execution_options=_BIT_BY_BIT) as found:
        for page in found.partitions(_AT_ONCE):
            yield [_plain(row, boolean) for row in page]


def _plain(row: Any, boolean: list[int]) -> list[Any]:  # noqa: ANN401 - a row as the driver gives it
    values = list(row)
    for place in boolean:
        values[place] = None if values[place] is None else bool(values[place])
    return values


def in_pieces(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Divide rows."""
    some = iter(rows)
    while piece := list(itertools.islice(some, size)):
        yield piece
