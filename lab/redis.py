"""A real Redis for as long as somebody needs it: on a loopback port of its own, in memory alone, nothing after.

The distribution's own server is used where it is installed; else its packages are unpacked beside the system.
It can be killed, begun again on the same port, stopped in its tracks and let go on: what a site's Redis may do.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

import redis

from lab import child, fetch
from lab.errors import LabError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

HOST = "127.0.0.1"
START_DEADLINE_S = 20
STOP_DEADLINE_S = 5
TRIES = 3

SETTINGS = {"bind": HOST, "save": "", "appendonly": "no", "protected-mode": "yes", "daemonize": "no"}
"""Nothing is kept on disk, and nothing but loopback is listened to."""


class RedisError(LabError):
    """There is no Redis to run here, or it did not start; the sentence says which."""


@dataclass(frozen=True)
class Binary:
    """The program of a Redis server, and the libraries that it needs beyond the system's ("" for none)."""

    program: Path
    libraries: str = ""

    def command(self, *words: str) -> list[str]:
        """Write the command that runs it."""
        libraries = ["/usr/bin/env", f"LD_LIBRARY_PATH={self.libraries}"] if self.libraries else []
        return [*libraries, str(self.program), *words]


def find() -> Binary:
    """Find the Redis of the system, else unpack the distribution's packages beside it."""
    installed = shutil.which("redis-server")
    if installed:
        return Binary(Path(installed))
    into = fetch.unpack(["redis-server"], into=fetch.cache() / "redis")
    program = into / "usr/bin/redis-server"
    if not program.exists():
        raise RedisError(f"the distribution's packages hold no Redis server: look into {into}")
    libraries = [*into.glob("usr/lib/*-linux-*"), *into.glob("lib/*-linux-*")]
    return Binary(program, ":".join(map(str, libraries)))


@dataclass
class Server:
    """A Redis server of our own. What it held is gone once it was killed."""

    binary: Binary
    password: str = ""
    settings: dict[str, str] = field(default_factory=dict[str, str])
    port: int = 0
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Give the address as the settings take it."""
        return f"redis://:{self.password}@{HOST}:{self.port}/0" if self.password else f"redis://{HOST}:{self.port}/0"

    @property
    def pid(self) -> int:
        """Give the id of the process that serves; raises `RedisError` while none does."""
        if self._process is None:
            raise RedisError("this Redis does not run: start() it")
        return self._process.pid

    def start(self) -> None:
        """Serve, on the same port as before if there was one; returns when it answers."""
        self.port = self.port or _free_port()
        secret = {"requirepass": self.password} if self.password else {}
        asked = {**SETTINGS, **self.settings, **secret, "port": str(self.port)}
        words = [word for name, value in asked.items() for word in (f"--{name}", value)]
        with tempfile.TemporaryFile() as log:
            self._process = child.start(self.binary.command(*words), out=log, errors=log)
            self._wait_until_ready(log)

    def kill(self) -> None:
        """End it as kill -9 does, with all it held. To do so twice is no error."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_DEADLINE_S)
            self._process = None

    def freeze(self) -> None:
        """Stop it in its tracks: connections stay, and new ones are taken by the kernel, but nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on where it was stopped."""
        self._signal(signal.SIGCONT)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Keep it stopped while the block lasts."""
        self.freeze()
        try:
            yield
        finally:
            self.thaw()

    def client(self) -> redis.Redis:
        """Give a client for those who look into it; close it."""
        return redis.Redis.from_url(self.url, decode_responses=True, socket_timeout=STOP_DEADLINE_S)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            raise RedisError("this Redis does not run: start() it")
        self._process.send_signal(number)

    def _wait_until_ready(self, log: IO[bytes]) -> None:
        deadline = time.monotonic() + START_DEADLINE_S
        while not self._answers():
            if (self._process and self._process.poll() is not None) or time.monotonic() > deadline:
                self.kill()
                log.seek(0)
                said = log.read().decode(errors="replace").strip()[-1000:]
                raise RedisError(f"Redis did not start on port {self.port} within {START_DEADLINE_S} s: {said}")
            time.sleep(0.01)

    def _answers(self) -> bool:
        """Tell whether our own server answers: another's on the same port has another pid."""
        with contextlib.suppress(redis.RedisError), self.client() as client:
            return bool(client.info("server")["process_id"] == self.pid)
        return False


@contextlib.contextmanager
def serve(binary: Binary, *, password: str = "", settings: dict[str, str] | None = None) -> Iterator[Server]:
    """Run a server while the context lasts, with further `settings` of redis.conf; it ends with us, even by kill -9."""
    server = Server(binary, password, settings or {})
    try:
        _start_somewhere(server)
        yield server
    finally:
        server.kill()


def _start_somewhere(server: Server) -> None:
    """Start it on a free port; another program may take that in the same moment, so on another one then."""
    for _ in range(TRIES - 1):
        try:
            return server.start()
        except RedisError:
            server.port = 0
    return server.start()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])
