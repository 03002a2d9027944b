"""The site that things break in: a PBX with its people, a database, a Redis, a gateway, the nodes of the service."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import libfaketime

from lab import postgres, redis
from lab.asterisk import Asterisk
from lab.errors import LabError
from lab.faults import hosts, ledger, settings
from lab.faults.cables import Cables
from lab.faults.centre import AGENTS, Centre
from lab.faults.gateway import Gateway
from lab.faults.hosts import Host
from lab.faults.ledger import Watch
from lab.faults.nodes import Node, Nodes, Role
from lab.faults.records import Terms
from lab.faults.settings import ACCOUNT, TOKEN, Shared, Ways
from lab.faults.switchboard import End
from lab.fetch import AsteriskTree

_UP_S: Final = 60
_SOCKET: Final = ".s.PGSQL.5432"
_DISK_MB: Final = 4
NODES: Final[dict[str, Role]] = {
    "pbx-a": "pbx",
    "pbx-b": "pbx",
    "text-a": "text",
    "text-b": "text",
    "web": "web",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """How large the site is: the seed of chance, and how many call it."""

    seed: int = 1
    calls_per_s: float = 0.5


class Site:
    """All of it, as a context manager: when it is entered, the service listens."""

    def __init__(self, folder: Path, tree: AsteriskTree, plan: Plan, say: Callable[[str], None]) -> None:
        self.folder, self.say = folder, say
        self._tree, self._plan = tree, plan
        self.terms = Terms()
        self.disks: dict[str, Path] = {}
        self.hosts: dict[str, Host] = {}
        self._room = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as room:
            self._open(room)
            self._room = room.pop_all()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._room.close()

    def _open(self, room: ExitStack) -> None:
        self.pbx = room.enter_context(
            Asterisk.start(self.folder / "pbx", agents=AGENTS, queues={"support": AGENTS}, tree=self._tree)
        )
        self.database = room.enter_context(postgres.serve(postgres.find(), durable=True))
        ledger.open_books(self.database)
        self.redis = room.enter_context(redis.serve(redis.find()))
        self.gateway = room.enter_context(Gateway({ACCOUNT: TOKEN}))
        self.door = ("127.0.0.1", _free_port())
        if hosts.possible():
            apart = [name for name, role in NODES.items() if role == "pbx"]
            self.hosts = {name: room.enter_context(Host(number)) for number, name in enumerate(apart)}
        ways = {name: self._ways(name) for name in NODES}
        self.cables = room.enter_context(Cables(self.folder, self._ends(ways)))
        self.nodes = room.enter_context(
            Nodes([self._node(name, role, ways[name], room) for name, role in NODES.items()])
        )
        self.watch = room.enter_context(Watch(self.database))
        self.centre = room.enter_context(Centre(self.pbx, self._plan.seed, self._plan.calls_per_s))
        self.wait(lambda: self.holder() is not None and self.opens(), "listen and open its door")

    # Asked by faults

    def holder(self, role: Role = "pbx") -> Node | None:
        """The node that holds the lease of that role now; None where none does."""
        owner = self.watch.holders.get(f"{role}:lab", "")
        found = [node for node in self.nodes.of(role) if node.process and f":{node.process.pid}:" in f"{owner}:"]
        return found[0] if found and found[0].alive else None

    def held(self, role: Role) -> Node:
        """The same, waited for."""
        self.wait(lambda: self.holder(role) is not None, f"have a holder of {role}")
        node = self.holder(role)
        if node is None:
            raise LabError(f"nobody holds the lease of {role}")
        return node

    def standby(self, role: Role) -> Node:
        """The other node of that role."""
        held = self.held(role)
        return next(node for node in self.nodes.of(role) if node is not held)

    def missing(self) -> list[Node]:
        """The nodes that do not work, or stand by, as they should."""
        return [node for node in self.nodes.all if not node.alive or node.name not in self.watch.present]

    @property
    def whole(self) -> bool:
        """Whether every node lives, and somebody listens and somebody sends texts."""
        return not self.missing() and self.holder("pbx") is not None and self.holder("text") is not None

    def opens(self) -> bool:
        """Whether the door for the gateway's reports and customers answers."""
        try:
            with socket.create_connection(self.door, 1) as asked:
                asked.settimeout(1)
                asked.sendall(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")
                return asked.recv(8) == b"HTTP/1.1"[:8]
        except OSError:
            return False

    def wait(self, holds: Callable[[], bool], what: str, timeout_s: float = _UP_S) -> None:
        """Wait until the site is as it should be; raises `LabError` with what the nodes said."""
        deadline = time.monotonic() + timeout_s
        while not holds():
            if time.monotonic() > deadline:
                said = "\n".join(f"{node.name} said last:\n{node.last_words()}" for node in self.nodes.all)
                raise LabError(f"the site did not {what} within {timeout_s:g} s.\n{said}")
            time.sleep(0.1)

    def turn_clock(self, node: Node, seconds: float) -> None:
        """Set the clock of a node so far ahead of ours."""
        self._clock(node.name).write_text(f"{seconds:+g}\n")

    # How it is set up

    def _ways(self, name: str) -> Ways:
        host = self.hosts[name].outer if name in self.hosts else "127.0.0.1"
        return Ways(host, _free_port(), _free_port(), _free_port())

    def _ends(self, ways: dict[str, Ways]) -> dict[str, tuple[End, End]]:
        ends = {}
        for name, way in ways.items():
            database = End(path=str(self.database.folder / _SOCKET))
            ends[f"{name}/database"] = (End(port=way.database, host=way.host), database)
            ends[f"{name}/redis"] = (End(port=way.redis, host=way.host), End(port=self.redis.port))
            ends[f"{name}/pbx"] = (End(port=way.pbx, host=way.host), End(port=self.pbx.ami_port))
        return ends

    def _node(self, name: str, role: Role, ways: Ways, room: ExitStack) -> Node:
        journal = self.folder / f"journal-{name}"
        journal.mkdir()
        if role == "pbx" and os.geteuid() == 0 and _mounted(journal):
            room.callback(_unmount, journal)
            self.disks[name] = journal
        shared = Shared(
            self.folder,
            self.pbx.username,
            self.pbx.secret,
            self.pbx.queue_log,
            self.pbx.queue_log.parent / "cdr-csv" / "Master.csv",
            self.gateway.url,
            "{}:{}".format(*self.door),
            self.terms,
        )
        file = settings.write(name, journal, ways, shared, door=role in {"web", "all"})
        clock = self._fake_clock(name) if role == "pbx" else {}
        return Node(name, role, file, clock, self.hosts[name].prefix if name in self.hosts else ())

    def _fake_clock(self, name: str) -> dict[str, str]:
        """The environment in which a node's clock is ours, until it is turned."""
        self._clock(name).write_text("+0\n")
        (library,) = Path(libfaketime.__file__).parent.rglob("libfaketime.so.1")
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._clock(name)),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def _clock(self, name: str) -> Path:
        return self.folder / f"clock-{name}"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _mounted(folder: Path) -> bool:
    """Give the folder a small disk of its own, where this system lets us."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_MB}m,mode=0700", "lcr-faults", str(folder)]
    return (
        shutil.which("mount") is not None and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )


def _unmount(folder: Path) -> None:
    subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)
