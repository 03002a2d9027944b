"""A real PostgreSQL for as long as somebody needs it: a unix socket in a directory of its own, nothing after.

The distribution's own server is used where it is installed; else its packages are unpacked beside the system.
Nothing listens on the network. Durability is off unless asked for: these databases die with their server on purpose.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from lab import child, fetch
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterator

INSTALLED = Path("/usr/lib/postgresql")
START_DEADLINE_S = 60
STOP_DEADLINE_S = 10
ROOT_CACHE = Path("/var/cache/lost-call-recovery")  # root's own cache is not readable to `nobody`
PREFIX = "lcr-postgres-"

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "autovacuum": "off",
    "jit": "off",
    "timezone": "UTC",
}


DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
"""As in production: for those who measure."""


class PostgresError(LabError):
    """There is no PostgreSQL to run here, or it did not start; the sentence says which."""


@dataclass
class Server:
    """A running PostgreSQL, reached through the socket in `folder`; it can be killed, begun again and frozen."""

    folder: Path
    binaries: Binaries
    settings: dict[str, str] = field(default_factory=dict[str, str])
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Serve what is in the folder; returns when it takes connections."""
        self._process = _start(self.binaries, self.folder, self.settings)
        _wait_until_ready(self._process, self.folder)

    def stop(self) -> None:
        """End it at once, as after a crash: what was committed is there when it is begun again."""
        if self._process is not None:
            _stop(self._process)
            self._process = None

    def freeze(self) -> None:
        """Stop it in its tracks, with all its sessions: connections stay, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on where it was stopped."""
        self._signal(signal.SIGCONT)

    def end_sessions(self) -> int:
        """End every session but the one that asks, as an administrator does; how many there were."""
        ending = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        with self._session() as connection:
            row = connection.execute(f"{ending} AND backend_type = 'client backend'").fetchone()
            return int(row[0]) if row else 0

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            for pid in (self._process.pid, *child.children(self._process.pid)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)

    def url(self, name: str) -> str:
        """Write the address of the database `name` as SQLAlchemy takes it."""
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def create(self, name: str, template: str = "template0") -> str:
        """Make the database `name`, a copy of `template` (to which nobody may be connected); its URL."""
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._run(copy.format(sql.Identifier(name), sql.Identifier(template)))
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove the database `name`, cutting off whoever is still connected."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        with self._session() as connection:
            connection.execute(statement)

    def _session(self) -> psycopg.Connection[Any]:
        return psycopg.connect(host=str(self.folder), user="postgres", autocommit=True)


@dataclass(frozen=True)
class Binaries:
    """The folder of PostgreSQL's programs, and the libraries they need beyond the system's ("" for none)."""

    folder: Path
    libraries: str = ""

    def command(self, program: str, *words: str) -> list[str]:
        """Write the command of `program`: as `nobody` if we are root (it refuses root), ending with us."""
        user = ["--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
        return ["setpriv", "--pdeathsig=QUIT", *user, str(self.folder / program), *words]

    def environment(self) -> dict[str, str]:
        """Give our own environment, in no language, with the unpacked libraries."""
        libraries = {"LD_LIBRARY_PATH": self.libraries} if self.libraries else {}
        return {**os.environ, "LC_ALL": "C", **libraries}


def find() -> Binaries:
    """Find the newest PostgreSQL of the system, else unpack the distribution's packages beside it."""
    installed = _newest(INSTALLED)
    if installed:
        return Binaries(installed)
    into = (ROOT_CACHE if os.geteuid() == 0 else fetch.cache()) / "postgresql"
    fetch.unpack(["postgresql"], into=into)
    unpacked = _newest(into / "usr/lib/postgresql")
    if not unpacked:
        raise PostgresError(f"the distribution's packages hold no PostgreSQL server: look into {into}")
    libraries = [*into.glob("usr/lib/*-linux-*"), *into.glob("lib/*-linux-*")]
    return Binaries(unpacked, ":".join(map(str, libraries)))


def _newest(versions: Path) -> Path | None:
    """Find the programs of the highest version below `versions` (as in 15/bin), if there is any."""
    folders = [program.parent for program in versions.glob("[0-9]*/bin/initdb")]
    return max(folders, key=lambda folder: int(folder.parent.name), default=None)


@contextlib.contextmanager
def serve(binaries: Binaries, *, durable: bool = False) -> Iterator[Server]:
    """Run a fresh server while the context lasts; it ends with the thread that began it, even by kill -9."""
    with _own_folder() as folder:
        _initdb(binaries, folder)
        server = Server(folder, binaries, SETTINGS | (DURABLE if durable else {}))
        try:
            server.start()
            yield server
        finally:
            server.thaw()
            server.stop()


def _initdb(binaries: Binaries, folder: Path) -> None:
    words = ["-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    command, environment = binaries.command("initdb", *words), binaries.environment()
    made = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if made.returncode:
        raise PostgresError(f"initdb in {binaries.folder} failed: {made.stderr.strip()}")


def _start(binaries: Binaries, folder: Path, settings: dict[str, str]) -> subprocess.Popen[bytes]:
    options = [f"--{name}={value}" for name, value in settings.items()]
    command = binaries.command("postgres", "-D", "data", "-k", str(folder), *options)
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, cwd=folder, env=binaries.environment(), stdout=log, stderr=log)


def _wait_until_ready(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Return once the server says in its pid file (the 8th line) that it takes connections."""
    state, deadline = folder / "data/postmaster.pid", time.monotonic() + START_DEADLINE_S
    while not _ready(state, process.pid):
        if process.poll() is not None or time.monotonic() > deadline:
            log = (folder / "log").read_text(errors="replace")
            raise PostgresError(f"PostgreSQL did not start within {START_DEADLINE_S} s: {log[-2000:]}")
        time.sleep(0.01)


def _ready(state: Path, pid: int) -> bool:
    """Whether it is this very process that says so: one that was killed leaves its file behind."""
    with contextlib.suppress(OSError):
        lines = [line.strip() for line in state.read_text().splitlines()]
        return lines[:1] == [str(pid)] and lines[7:] == ["ready"]
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGQUIT)  # at once: there is nothing to save
    try:
        process.wait(STOP_DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def _own_folder() -> Iterator[Path]:
    """Make a directory, locked while we live, owned by whom the server runs as; remove it afterwards."""
    sweep()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody", pwd.getpwnam("nobody").pw_gid)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def sweep() -> None:
    """Remove what a killed owner left: directories that nobody holds locked, and that are not quite new.

    Their age is told by the clock of their own file system: that of this process may be another (make test-dates).
    """
    with tempfile.TemporaryFile() as new:
        now = os.fstat(new.fileno()).st_mtime
    for folder in Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        with contextlib.suppress(OSError):
            if now - folder.stat().st_mtime > START_DEADLINE_S:
                _remove_if_free(folder)


def _remove_if_free(folder: Path) -> None:
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
    finally:
        os.close(lock)
