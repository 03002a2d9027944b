"""The processes of the service under test, each as on a host of its own, begun again when it ends as systemd would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Self

from lab import child

Role = Literal["pbx", "text", "web", "all"]
RESTART_S: Final = 2.0
_LOOK_S: Final = 0.1
_END_S: Final = 3
_SAID: Final = 3000


@dataclass
class Node:
    """One process of the service; `said` is all that it tells people, `events` all that it tells programs."""

    name: str
    role: Role
    settings: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    prefix: Sequence[str] = ()
    process: subprocess.Popen[bytes] | None = None
    begun: int = 0
    begins_at: float | None = None

    @property
    def said(self) -> Path:
        """The file of its lines."""
        return self.settings.with_suffix(".said")

    @property
    def events(self) -> Path:
        """The file of its events, a JSON object a line."""
        return self.settings.with_suffix(".jsonl")

    @property
    def alive(self) -> bool:
        """Whether its process lives."""
        return self.process is not None and self.process.poll() is None

    @property
    def pids(self) -> list[int]:
        """Its process and all that this began."""
        found = [self.process.pid] if self.process and self.alive else []
        for pid in found:
            found += child.children(pid)
        return found

    def start(self) -> None:
        """Begin."""
        words = ["--settings", str(self.settings), "--events-json", str(self.events)]
        role = [] if self.role == "all" else ["--role", self.role]
        variables = [f"{name}={value}" for name, value in self.environment.items()]
        run = [sys.executable, "-m", "callback", "run", *role, *words]
        with self.said.open("ab") as out:
            self.process = child.start(
                [*self.prefix, "/usr/bin/env", *variables, *run], out=out, errors=subprocess.STDOUT
            )
        self.begun += 1

    def signal(self, number: signal.Signals) -> None:
        """Send it, and all that it began, a signal."""
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def command_of(self, words: str) -> int | None:
        """The child whose command line has these words; None where there is none."""
        for pid in self.pids:
            with suppress(OSError):
                if words in Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode():
                    return pid
        return None

    def last_words(self) -> str:
        """What it said last."""
        return self.said.read_text(errors="replace")[-_SAID:] if self.said.exists() else ""


class Nodes:
    """All of them, as a context manager: whatever ends by itself is begun again after a pause."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.all = list(nodes)
        self.ended: list[str] = []
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name="lab-nodes", daemon=True)

    def __enter__(self) -> Self:
        for node in self.all:
            node.start()
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._over.set()
        self._thread.join(timeout=_END_S)
        for node in self.all:
            node.signal(signal.SIGCONT)
            node.signal(signal.SIGKILL)
            if node.process is not None:
                node.process.wait()

    def __getitem__(self, name: str) -> Node:
        return next(node for node in self.all if node.name == name)

    def of(self, role: Role) -> list[Node]:
        """Those of a role, in their order."""
        return [node for node in self.all if node.role in {role, "all"}]

    def kill(self, node: Node, down_s: float = RESTART_S) -> None:
        """End one as kill -9 does, with what it began; it is begun again so many seconds later."""
        with self._lock:
            node.begins_at = time.monotonic() + down_s
            node.signal(signal.SIGKILL)
            if node.process is not None:
                node.process.wait()

    def _keep(self) -> None:
        while not self._over.wait(_LOOK_S):
            now = time.monotonic()
            with self._lock:
                for node in self.all:
                    if node.alive:
                        node.begins_at = None
                    elif node.begins_at is None:
                        status = node.process.poll() if node.process else None
                        self.ended.append(f"{node.name} ended with status {status}")
                        node.begins_at = now + RESTART_S
                    elif now >= node.begins_at:
                        node.begins_at = None
                        node.start()
