"""The real service beside a lab PBX, as a process of its own that a test starts, watches, kills and starts again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from sqlalchemy import select

from callback.reservations.told import CHANGES_US
from callback.store import tables as t
from lab.asterisk import Asterisk
from lab.child import children
from tests.callback.world import migrated

TETHER = Path(__file__).parents[2] / "lab" / "tether.py"
News = dict[str, Any]


def noon_zone() -> str:
    """A zone in which it is about noon now, so that neither evening nor midnight is near."""
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}"


def wall_clock(seconds_from_now: float) -> str:
    """What the clocks of customers show then, who are in Japan as their numbers tell; whole seconds."""
    return f"{datetime.fromtimestamp(int(time.time() + seconds_from_now), ZoneInfo('Asia/Tokyo')):%H:%M:%S}"


def quiet_hour() -> dict[str, str]:
    """An hour for nobody's phone, hours away by the clock of customers and by that of `noon_zone`: it binds by both.

    Twelve hours from now by the first is the site's noon as well, at one time of the day.
    """
    site_sees_it_in = (datetime.now(UTC).hour + 9) % 24
    ahead = 12 if 4 <= site_sees_it_in <= 20 else 6
    return {"no_ring_after": wall_clock(ahead * 3600), "no_ring_before": wall_clock((ahead + 1) * 3600)}


def word_stands(service: Service) -> None:
    """Let all that was done about a case be so long ago that its agent cannot say otherwise any more."""
    with service.store.write() as connection:
        for table in (t.reservation, t.care_case):
            connection.execute(table.update().values(state_since_at=table.c.state_since_at - CHANGES_US))


class Service:
    """`callback run` for one PBX. Its narration is read from the JSON lines it writes; waiting is for those."""

    def __init__(
        self,
        pbx: Asterisk,
        folder: Path,
        queue: str = "sales",
        *,
        port: int | None = None,
        first: str = "agent",
        **rules: object,
    ) -> None:
        self.settings = folder / "callback.toml"
        self.news_file = folder / "news.jsonl"
        self.said_file = folder / "said.txt"
        self.store = migrated(f"sqlite:///{folder / 'lost-calls.db'}")  # else each first start takes a second for it
        self._process: subprocess.Popen[bytes] | None = None
        self._read = 0
        self._news: list[News] = []
        values = {
            "zone": noon_zone(),
            **quiet_hour(),  # where customers are it may be night
            "text_grace_s": 1,
            "short_abandon_s": 1,
            "reached_after_s": 2,
            "agent_wait_s": 8,
            "ring_s": 4,
            "retry_busy_min": 0.05,
            "retry_our_fault_min": 0.05,
        }
        lines = [f"{key} = {json.dumps(value)}" for key, value in {**values, **rules}.items()]
        self.settings.write_text(
            f'[database]\nurl = "sqlite:///{folder / "lost-calls.db"}"\n'
            f'[pbx]\nname = "lab"\nport = {port or pbx.ami_port}\n'
            f'username = "{pbx.username}"\nsecret = "{pbx.secret}"\n'
            f'journal = "{folder / "journal"}"\nlease_s = 1\nqueue_log = "{pbx.queue_log}"\n'
            '[logs]\nnumbers = "full"\n'
            '[trunks.main]\nchannel = "PJSIP/trunk"\ndial = "PJSIP/{number}@trunk"\nregion = "JP"\nform = "national"\n'
            "[rules]\n" + "\n".join(lines) + f"\n[rules.queues.{queue}]\n"
            'texts = "on"\ncalls = "on"\ncaller_id = "0312345678"\ncaller_name = "Support"\n'
            f'first = "{first}"\n'
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.kill()
        self.store.close()

    def start(self, *options: str, until: str = "pbx-up") -> Service:
        """Start it and wait until it listens, or has told something else."""
        before = len(self.news())
        told = ["-s", str(self.settings), "--events-json", str(self.news_file), *options]
        run = [sys.executable, "-m", "callback", "run", *told]
        with self.said_file.open("ab") as said:
            command = [sys.executable, str(TETHER), str(os.getpid()), *run]
            self._process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        self.wait(until, since=before)
        return self

    def kill(self) -> None:
        """End it as `kill -9` does, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def signal(self, number: signal.Signals) -> None:
        """Send it, and the processes that it began, a signal."""
        assert self._process is not None
        for pid in (self._process.pid, *children(self._process.pid)):
            os.kill(pid, number)

    def stop(self) -> int:
        """Ask it to stop, and give its status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        status = self._process.wait(10)
        self._process = None
        return status

    def said(self) -> str:
        """Everything it said to people."""
        return self.said_file.read_text(encoding="utf-8")

    def news(self) -> list[News]:
        """Everything it told so far, whole lines only."""
        if self.news_file.exists():
            with self.news_file.open("rb") as file:
                file.seek(self._read)
                whole = file.read().rpartition(b"\n")[0]
            if whole:
                self._news += [json.loads(line) for line in whole.splitlines()]
                self._read += len(whole) + 1
        return self._news

    def wait(
        self,
        event: str,
        holds: Callable[[News], bool] = lambda _: True,
        *,
        since: int = 0,
        timeout_s: float = 45,
    ) -> News:
        """Wait for a piece of news; an AssertionError tells what was said instead."""
        deadline = time.monotonic() + timeout_s
        while True:
            for piece in self.news()[since:]:
                if piece["event"] == event and holds(piece):
                    return piece
            alive = self._process is None or self._process.poll() is None
            if not alive or time.monotonic() > deadline:
                raise AssertionError(f"no '{event}' within {timeout_s} s; the service said:\n{self.said()}")
            time.sleep(0.02)

    def outcome(self, *, since: int = 0, timeout_s: float = 45) -> News:
        """Wait for the end of an attempt."""
        return self.wait("outcome", since=since, timeout_s=timeout_s)

    def mark(self) -> int:
        """A place in the news: what comes after it is told since now."""
        return len(self.news())

    def rows(self, table: Any) -> list[Any]:
        """What stands in a table now."""
        with self.store.read() as connection:
            return list(connection.execute(select(table)))

    def wait_row(self, table: Any, holds: Callable[[Any], bool], timeout_s: float = 30) -> Any:
        """Wait until a row is as it should be."""
        deadline = time.monotonic() + timeout_s
        while True:
            for row in self.rows(table):
                if holds(row):
                    return row
            if time.monotonic() > deadline:
                raise AssertionError(f"no such row within {timeout_s} s: {self.rows(table)}")
            time.sleep(0.05)
