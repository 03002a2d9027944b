"""The service beside the lab's PBX: a process of its own, whose words are passed on and whose news are counted."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from lab import child
from lab.errors import LabError

_NOON = 12
_DAY = range(9, 18)
_UP_S, _STOP_S = 30, 10


@dataclass(frozen=True, slots=True)
class PbxAccess:
    """How the service reaches its PBX, and after how many seconds of waiting a caller counts as lost there."""

    port: int
    username: str
    secret: str
    short_abandon_s: float = 5


def daytime_zone(now: datetime) -> str:
    """Give a zone in which it is day: no customer may be rung at night, and the lab runs at any hour."""
    if now.astimezone(ZoneInfo("Asia/Tokyo")).hour in _DAY:
        return "Asia/Tokyo"
    ahead = _NOON - now.astimezone(UTC).hour  # Etc/GMT-9 is nine hours ahead of UTC
    return f"Etc/GMT{-ahead:+d}"


def settings(folder: Path, access: PbxAccess, zone: str, console: str = "") -> str:
    """Write the settings of a service for the lab: short waits, everything switched on for one queue.

    `console` is where that listens, as host:port. The lab's customers are in Japan, as their numbers tell: quiet hours
    begin there in half a day.
    """
    there = datetime.now(ZoneInfo("Asia/Tokyo"))
    quiet_from, quiet_until = (f"{there + timedelta(hours=hours):%H:%M}" for hours in (_NOON, _NOON + 1))
    return f"""\
[database]
url = "sqlite:///{folder}/lost-calls.db"
key_file = "{folder}/key/site.key"

[pbx]
name = "lab"
host = "127.0.0.1"
port = {access.port}
username = "{access.username}"
secret = "{access.secret}"
journal = "{folder}/journal"

[console]
listen = "{console}"

[logs]
numbers = "full"

[trunks.main]
channel = "PJSIP/trunk"
dial = "PJSIP/{{number}}@trunk"
region = "JP"
form = "national"

[texts]
gateway = "console"

[rules]
zone = "{zone}"
no_ring_after = "{quiet_from}"
no_ring_before = "{quiet_until}"
short_abandon_s = {access.short_abandon_s}
text_grace_s = 2
agent_wait_s = 20
ring_s = 8
reached_after_s = 3
retry_busy_min = 0.2
retry_no_answer_min = 0.5
retry_our_fault_min = 0.1

[rules.queues.support]
texts = "on"
calls = "on"
caller_id = "0312345678"
caller_name = "Support"
"""


class Service:
    """`callback run`, as a context manager; `hear` gets each line that it says to people."""

    def __init__(self, folder: Path, access: PbxAccess, zone: str, hear: Callable[[str], None]) -> None:
        self.settings = folder / "callback.toml"
        self._console = ("127.0.0.1", _free_port())
        self.settings.write_text(settings(folder, access, zone, "{}:{}".format(*self._console)))
        self.settings.chmod(0o600)
        self.recovered = 0
        self._news = folder / "news.jsonl"
        self._read = 0
        self._seen: set[str] = set()
        self._hear = hear
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        options = ["--settings", str(self.settings), "--events-json", str(self._news)]
        command = [sys.executable, "-m", "callback", "run", *options]
        self._process = child.start(command, out=subprocess.PIPE, errors=subprocess.STDOUT)
        self._passing_on = threading.Thread(target=self._pass_on, name="lab-narration", daemon=True)
        self._passing_on.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._process is not None:
            child.stop(self._process, _STOP_S)
            self._passing_on.join(timeout=_STOP_S)

    def wait_up(self) -> None:
        """Wait until it listens to the PBX; raises `LabError` if it does not."""
        deadline = time.monotonic() + _UP_S
        while not self.look() & {"pbx-up"}:
            if time.monotonic() > deadline:
                raise LabError(f"the service did not begin to listen within {_UP_S} s; its last lines say why.")
            time.sleep(0.05)

    def open_console(self, name: str) -> tuple[str, str]:
        """Make the first user of the console; give its address and what the person signs in with, for once.

        Raises `LabError` if the console does not begin to listen.
        """
        command = [sys.executable, "-m", "callback", "user", "add", name, "--settings", str(self.settings)]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise LabError(f"nobody may sign in to the console: {made.stderr.strip()}")
        deadline = time.monotonic() + _UP_S
        while not _listens(self._console):
            self.look()
            if time.monotonic() > deadline:
                raise LabError(f"the console did not begin to listen within {_UP_S} s; its last lines say why.")
            time.sleep(0.05)
        return "http://{}:{}".format(*self._console), made.stdout.splitlines()[0].split()[-1]

    def look(self) -> set[str]:
        """Read what it told since the last look; count the customers reached, and give all events ever told.

        Raises `LabError` if it has ended by itself.
        """
        if self._process is not None and (status := self._process.poll()) is not None:
            raise LabError(f"the service ended by itself with status {status}; its last lines say why.")
        if self._news.exists():
            with self._news.open("rb") as file:
                file.seek(self._read)
                whole = file.read().rpartition(b"\n")[0]
            self._read += len(whole) + 1 if whole else 0
            for line in whole.splitlines():
                self._take(json.loads(line))
        return self._seen

    def _take(self, piece: dict[str, object]) -> None:
        self._seen.add(str(piece.get("event")))
        self.recovered += piece.get("event") == "outcome" and piece.get("outcome") == "reached"

    def _pass_on(self) -> None:
        if self._process is not None and self._process.stdout is not None:
            with self._process.stdout as said:
                for line in said:
                    self._hear(line.decode("utf-8", "replace").rstrip("\n"))


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _listens(address: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(address, 1):
            return True
    except OSError:
        return False


def clock(zone: str) -> str:
    """Tell the time as the service does."""
    return f"{datetime.now(ZoneInfo(zone)):%H:%M:%S}"
