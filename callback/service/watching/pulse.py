"""What this process tells of itself each second: gathered from its parts, by the loop whose turning it proves."""

from __future__ import annotations

import asyncio
import os
import platform
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Final

from callback.cluster.nodes import Who
from callback.logs.failing import Failing
from callback.operations.vitals import Child, Listening, State, Vitals

BEAT_S: Final = 0.2
_WORST_OF: Final = 50
"""Beats, of which the latest one is told."""
_PAGES: Final = Path("/proc/self/statm")


class Pulse:
    """Gathers it. Parts say what they know when they begin, and are asked each time that it is told."""

    def __init__(self, who: Who, now: Callable[[], int]) -> None:
        self._who, self._now, self._began_at = who, now, now()
        self._failing: list[Failing] = []
        self._children: dict[str, Child] = {}
        self._late_s = [0.0]
        self.standing: Callable[[], tuple[State, str]] = lambda: ("starting", "")
        self.off_s: Callable[[], float | None] = lambda: None
        self.listening: Callable[[], Listening] | None = None

    def suffers(self, failing: Failing) -> None:
        """Tell of the jobs that fail there too."""
        self._failing.append(failing)

    @contextmanager
    def suffering(self, failing: Failing) -> Iterator[None]:
        """The same for as long as the block lasts."""
        self._failing.append(failing)
        try:
            yield
        finally:
            self._failing.remove(failing)

    def child(self, name: str, *, up: bool, why: str = "") -> None:
        """A process that is kept beside this one began, or ended."""
        before = self._children.get(name, Child(up=False))
        self._children[name] = Child(up=up, ended=before.ended + (not up), why=why)

    async def run(self) -> None:
        """Measure how late the loop is, until cancelled."""
        while True:
            due_s = time.monotonic() + BEAT_S
            await asyncio.sleep(BEAT_S)
            self._late_s = [*self._late_s[1 - _WORST_OF :], max(0.0, time.monotonic() - due_s)]

    def line(self) -> bytes:
        """Tell it, as one line."""
        return self.taken().model_dump_json().encode() + b"\n"

    def taken(self) -> Vitals:
        """Take it."""
        state, why = self.standing()
        used = resource.getrusage(resource.RUSAGE_SELF)
        return Vitals(
            role=self._who.role,
            pbx=self._who.pbx,
            node=self._who.name,
            version=metadata.version("lost-call-recovery"),
            python=platform.python_version(),
            state=state,
            why=why,
            began_at=self._began_at,
            at=self._now(),
            loop_delay_s=max(self._late_s),
            memory_bytes=_memory_bytes(),
            cpu_s=used.ru_utime + used.ru_stime,
            database_off_s=self.off_s(),
            failing={name: why for failing in self._failing for name, why in failing.suffers.items()},
            children=dict(self._children),
            listening=None if self.listening is None else self.listening(),
        )


def _memory_bytes() -> int:
    """What of this process is in memory; 0 where the system does not tell."""
    try:
        return int(_PAGES.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
