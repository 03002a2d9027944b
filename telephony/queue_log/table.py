"""A queue_log in a realtime table (extconfig.conf: `queue_log => odbc,…`), read through SQLAlchemy.

The table has columns time, callid, queuename, agent, event, and data or data1 to data5. `time` may be text as Asterisk
writes it (`YYYY-mm-dd HH:MM:SS.ffffff`, or the epoch as older versions do), a date and time, or a number of seconds.
Local times need the zone; in the hour that its clocks repeat they are taken as the first of the two, so let Asterisk
write UTC (`queue_log_realtime_use_gmt = yes` in logger.conf). Proved on SQLite and PostgreSQL; MySQL and MariaDB are
not.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Column, Connection, MetaData, Select, Table, create_engine, func, select
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlalchemy.types import DateTime, Integer, Numeric

from telephony.ids import SECOND
from telephony.queue_log.entries import NO_EVENT, NO_TIME, Entry, Fault, Faults, entry, instant, instant_of
from telephony.queue_log.files import LogUnreadable

NAME: Final = "queue_log"
_ROWS: Final = 2000
_COLUMNS: Final = ("callid", "queuename", "agent", "event")
_FOLD: Final = timedelta(hours=2)
"""Local times are asked for by so much more: clocks are set, and a row's local time may sort elsewhere."""


class LogTable:
    """The queue_log in the database at `url`; `table` may name it otherwise, `zone` is that of its local times."""

    forgeable = False  # what a caller sends stays within its column

    def __init__(self, url: str, table: str = NAME, zone: tzinfo = UTC) -> None:
        self._name, self._zone = table, zone
        self.progress: Callable[[int], None] = lambda _: None
        try:
            self._engine = create_engine(url, poolclass=NullPool)  # it is asked seldom
        except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
            why = (
                error
                if isinstance(error, (NoSuchModuleError, ImportError))
                else "write driver://user:password@host/name"
            )
            raise LogUnreadable(f"the address of the database with {table} is wrong: {why}") from error

    def __str__(self) -> str:
        return f"table {self._name} in {self._engine.url.render_as_string(hide_password=True)}"

    def size(self) -> int:
        """Give how many rows there are; `progress` is told how many more were read."""
        with self._connect() as (connection, table):
            return int(connection.execute(select(func.count()).select_from(table)).scalar_one())

    def begins_at(self) -> int | None:
        """Give the instant of the oldest row, None where there is none. Raises LogUnreadable."""
        with self._connect() as (connection, table):
            return self._at(connection.execute(select(func.min(table.c.time))).scalar())

    def between(self, since: int, until: int, faults: Faults) -> Iterator[Entry]:
        """Give the entries from `since` to `until` (µs), oldest first. Raises LogUnreadable."""
        with self._connect() as (connection, table):
            bound = self._bounds(connection, table)
            rows = _query(table).where(table.c.time >= bound(since, -1), table.c.time <= bound(until, 1))
            data = [column.name for column in _data(table)]
            for number, row in enumerate(connection.execution_options(yield_per=_ROWS).execute(rows), 1):
                if not number % _ROWS:
                    self.progress(_ROWS)
                read = self._read(row._mapping, data)  # noqa: SLF001 - the row's documented mapping
                if isinstance(read, Fault):
                    faults.add(read, f"{self._name}: row {number} of those read")
                elif since <= read.at <= until:
                    yield read

    def _read(self, row: Any, data: list[str]) -> Entry | Fault:  # noqa: ANN401 - a mapping of whatever columns there are
        fields = [_text(row[name]) for name in _COLUMNS]
        shown = " ".join(fields[1:])
        at = self._at(row["time"])
        if at is None:
            return Fault(NO_TIME, shown)
        if not fields[-1]:
            return Fault(NO_EVENT, shown)
        texts = [_text(row[name]) for name in data]
        return entry(at, ["", *fields, *(texts if len(texts) > 1 else texts[0].split("|") if texts else ())])

    def _at(self, value: object) -> int | None:
        """Read a time in whatever type it came."""
        if isinstance(value, datetime):
            return instant_of(value, self._zone)
        if isinstance(value, (int, float, Decimal)):
            return instant(f"{value:.6f}", self._zone)
        return None if value is None else instant(_text(value), self._zone)

    def _bounds(self, connection: Connection, table: Table) -> Callable[[int, int], object]:
        """Give how to write an instant as the column has it, earlier (-1) or later (1) where times are local."""
        kind = table.c.time.type
        if isinstance(kind, (Integer, Numeric)):
            return lambda at, way: at // SECOND + max(way, 0)
        local = timedelta(0) if self._zone is UTC else _FOLD

        def written(at: int, way: int) -> datetime:
            return datetime.fromtimestamp(at // SECOND, self._zone) + way * (local + timedelta(seconds=1))

        if isinstance(kind, DateTime):
            return lambda at, way: written(at, way) if kind.timezone else written(at, way).replace(tzinfo=None)
        sample = _text(connection.execute(select(func.max(table.c.time))).scalar())
        if sample[:10].isdigit():
            return lambda at, way: str(at // SECOND + max(way, 0))
        return lambda at, way: written(at, way).strftime("%Y-%m-%d %H:%M:%S")

    @contextmanager
    def _connect(self) -> Iterator[tuple[Connection, Table]]:
        try:
            with self._engine.connect() as connection:
                table = Table(self._name, MetaData(), autoload_with=connection)
                missing = {"time", *_COLUMNS} - set(table.c.keys())
                if missing:
                    raise LogUnreadable(f"{self} lacks the column {', '.join(sorted(missing))}.")
                yield connection, table
        except NoSuchTableError as error:
            raise LogUnreadable(f"there is no {self}. Check extconfig.conf, or name the file.") from error
        except SQLAlchemyError as error:
            raise LogUnreadable(f"{self} cannot be read: {_first_line(error)}") from error


def _query(table: Table) -> Select[Any]:
    """Select what is needed, in the order of writing as far as the table tells it."""
    columns = [table.c.time, *(table.c[name] for name in _COLUMNS), *_data(table)]
    return select(*columns).order_by(table.c.time, *table.primary_key.columns)


def _data(table: Table) -> list[Column[Any]]:
    """Give the columns with an event's data: data1, data2 … where there are such, else data."""
    numbered = [name for name in table.c.keys() if name.startswith("data") and name[4:].isdigit()]  # noqa: SIM118 - a collection of columns
    names = sorted(numbered, key=lambda name: int(name[4:])) or [name for name in ("data",) if name in table.c]
    return [table.c[name] for name in names]


def _text(value: object) -> str:
    """Give a column as text; CHAR columns are padded."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").rstrip(" ")
    return "" if value is None else str(value).rstrip(" ")


def _first_line(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).partition("\n")[0]
