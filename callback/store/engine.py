"""One engine for SQLite and PostgreSQL alike: short transactions, the database's own clock."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from callback.errors import Contended, StoreAway, StoreError
from callback.store import unusable
from callback.store.outside import Outside
from callback.store.turns import Turns
from telephony import private

log = logging.getLogger(__name__)
T = TypeVar("T")
L = TypeVar("L", bound="Late")

BUSY_TIMEOUT_S = 10
HIGHEST = 2**63 - 1
"""That a database can number a row with."""
_LATE = "what waits for the commit"
_TOLD = "whether the feed tells of it"
# After a deadlock the server wakes the transaction that it let live, but keeps no row for it: whoever begins again at
# once may lock that row first, and both stand in each other's way a second time.
GIVE_WAY_S = 0.5
# A process that stands still must not hold a lease's row for ever: the next one could never take over.
# And a server that is behind a network that lost it is given up after ten seconds, not after the system's two hours.
_POSTGRESQL = {
    "connect_timeout": 5,
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "options": "-c idle_in_transaction_session_timeout=5s -c lock_timeout=10s -c statement_timeout=30s",
}
_CLOCK = {
    "sqlite": text("SELECT CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"),
    "postgresql": text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"),
}


def _engine(url: URL, options: dict[str, Any], *, sqlite: bool) -> Engine:
    """The engine; a driver that is not there is one sentence."""
    try:
        # What an error was about stays out of logs: it may be a number, or what somebody texted
        return create_engine(url, connect_args=options, pool_pre_ping=not sqlite, hide_parameters=True)
    except (ArgumentError, ImportError, ValueError) as error:
        install = 'pip install "lost-call-recovery[postgresql]"'
        raise StoreError(
            f"[database] url: nothing here speaks {url.drivername}; write postgresql+psycopg://… and, once, {install}"
        ) from error


class Store:
    """The database. `read()` and `write()` give a connection inside one transaction.

    Writers on SQLite begin IMMEDIATE: a transaction that reads first and writes later would fail at once when another
    writer came between, whatever the busy time-out says.
    """

    def __init__(self, url: str, outside: Outside | None = None) -> None:
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError) as error:  # neither is quoted: a password may stand there
            raise StoreError("[database] url is no address of a database: docs/install-service.md") from error
        self.url = url
        self.outside = outside  # of the database: the root of the site's keys
        self.root = ""  # once it is known, for as long as this process lives (callback/store/keys.py)
        self.dialect = parsed.get_backend_name()
        sqlite = self.dialect == "sqlite"
        self._turns = Turns() if sqlite else None  # a server lets its writers follow each other itself
        options: dict[str, Any] = {"timeout": BUSY_TIMEOUT_S} if sqlite else dict(_POSTGRESQL)
        self.engine = _engine(parsed, options, sqlite=sqlite)
        self.on_told: Callable[[], object] = lambda: None  # after a commit of something that the feed tells
        self.where = parsed.render_as_string(hide_password=True)
        self._file = _file_of(parsed) if sqlite else None
        if sqlite:
            event.listen(self.engine, "do_connect", _make_private)
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        event.listen(self.engine, "begin", _nothing_waits)
        event.listen(self.engine, "commit", write_now)

    @property
    def is_there(self) -> bool:
        """Whether there is something to open: an SQLite file is made by a migration, and by nobody who merely looks."""
        try:
            return self._file is None or bool(self._file.stat())
        except FileNotFoundError as error:
            return not Path(error.filename).parent.is_dir()
        except OSError:
            return True  # whoever opens it says why not

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection to look with; whatever is written in it is undone."""
        with self._open() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, committed when the block ends and undone when it raises."""
        with self._turn(), self._open(write=True) as connection:
            yield connection
            try:
                connection.commit()
            except BaseException:
                connection.invalidate()  # SQLAlchemy gives it back as it is: for ever inside this transaction
                raise
            if connection.info[_TOLD]:
                self.on_told()

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection that sees all tables as they are now, for as long as it takes to read them."""
        with self._open() as connection:
            if self.dialect == "postgresql":
                connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                without_limits(connection)
            yield connection

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Do some work in one transaction; once more, from its start, where other transactions were in the way.

        It begins again after they had time to go on. It must do nothing but write to the connection. Contended where
        they were in the way twice.
        """
        try:
            with self.write() as connection:
                return work(connection)
        except Contended as error:
            log.info("%s; done once more", error)
        time.sleep(GIVE_WAY_S)
        with self.write() as connection:
            return work(connection)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Let the threads that write to SQLite follow each other: its own waiting sleeps, up to 100 ms at a time."""
        if self._turns is None:
            yield
            return
        if not self._turns.take(BUSY_TIMEOUT_S):
            raise StoreAway(f"{self.where}: another transaction of this process lasts more than {BUSY_TIMEOUT_S} s")
        try:
            yield
        finally:
            self._turns.give()

    @contextmanager
    def migration(self) -> Iterator[Connection]:
        """One transaction that may rebuild tables: SQLite lets go of a table that others refer to only unchecked.

        What refers to nothing when it ends is found all the same, and undoes everything.
        """
        with self._open(write=True, unchecked=True) as connection:
            if self.dialect == "postgresql":
                without_limits(connection)  # an index on a large site takes its time
            yield connection
            if self.dialect == "sqlite" and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
                raise StoreError(f"{self.where}: rows that refer to nothing, as in table {broken[0][0]}")
            connection.commit()
            connection.invalidate()  # the next one checks again

    @contextmanager
    def _open(self, *, write: bool = False, unchecked: bool = False) -> Iterator[Connection]:
        """A connection inside a transaction; a database that is away or of no use is one StoreError, whenever."""
        if not (unchecked or self.is_there):
            raise StoreError(f"{self.where} is empty: start `callback run` with these settings first")
        try:
            with self.engine.connect() as connection:
                connection.execution_options(lcr_write=write, lcr_unchecked=unchecked)
                connection.execution_options(lcr_outside=self.outside, lcr_root=self.root)
                connection.begin()
                yield connection
        except DBAPIError as error:
            if isinstance(error, (IntegrityError, DataError)):
                raise  # the fault is in what was to be written, not in the database
            if (reason := unusable.reason(error, self.where, BUSY_TIMEOUT_S)) is None:
                raise
            raise reason from error
        except PoolTimeoutError as error:
            raise StoreAway(f"{self.where}: every connection is taken; see what holds them") from error

    def now(self) -> int:
        """The database's clock, in microseconds UTC: leases and fencing go by it alone."""
        with self.read() as connection:
            return clock(connection)

    def forget_overwritten(self) -> None:
        """Empty SQLite's log of changes, where what was overwritten still stands; what others read stays for later."""
        if self.dialect == "sqlite":
            with closing(self.engine.raw_connection()) as raw, suppress(sqlite3.OperationalError):
                raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def without_limits(connection: Connection) -> None:
    """Let this transaction last for as long as it takes, also on a server."""
    if connection.dialect.name != "postgresql":
        return
    for limit in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        connection.exec_driver_sql(f"SET LOCAL {limit} = 0")


def with_room(connection: Connection) -> None:
    """Let this transaction sort and join very many rows in memory, also on a server."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL work_mem = '128MB'")


def clock(connection: Connection) -> int:
    """The database's clock, in microseconds UTC."""
    return int(connection.execute(_CLOCK[connection.dialect.name]).scalar_one())


class Late(Protocol):
    """Rows of one kind that wait until their transaction is committed, and are written in one go."""

    def write(self, connection: Connection) -> None:
        """Write them."""


def late(connection: Connection, kind: type[L]) -> L:
    """What waits in this transaction, of that kind: it is written when this is committed, by whomever.

    An event costs 8 µs among forty, and 23 alone. Whoever reads such rows before that calls `write_now`.
    """
    waiting = connection.info[_LATE]
    if kind not in waiting:
        waiting[kind] = kind()
    one: L = waiting[kind]
    return one


def write_now(connection: Connection) -> None:
    """Write what waits for the commit of this transaction."""
    waiting: dict[type, Late] = connection.info[_LATE]
    while waiting:
        waiting.pop(next(iter(waiting))).write(connection)


def tells(connection: Connection) -> None:
    """Mark this transaction as one that others wait for: it writes to the feed."""
    connection.info[_TOLD] = True


def _nothing_waits(connection: Connection) -> None:
    connection.info[_LATE], connection.info[_TOLD] = {}, False


def _file_of(url: URL) -> Path | None:
    """The file of an SQLite database.

    Whoever looks before the service ran, root perhaps, must leave none behind that the service may not write.
    """
    named = url.database or ""
    return None if not named or named.startswith((":", "file:")) else Path(named)


def _make_private(_dialect: object, _record: object, arguments: list[Any], _options: object) -> None:
    """Make the file of a new database for its owner alone; SQLite gives what it puts beside it the same rights.

    A file that is there must not be opened but by SQLite: closing it would let go of the locks of this process.
    """
    if arguments and not str(arguments[0]).startswith((":", "file:")):
        private.make_file(Path(arguments[0]))


def _prepare_sqlite(dbapi: sqlite3.Connection, _record: object) -> None:
    dbapi.isolation_level = None  # we say BEGIN ourselves
    # secure_delete: what an erasure overwrites or frees is in no byte of the file any more
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        dbapi.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("lcr_unchecked"):
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")  # of this connection, which is used for nothing else
    write = options.get("lcr_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
