"""What a process of the service tells of itself each second: by a pipe, so that it is heard without a database."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

State = Literal["starting", "stands-by", "at-work"]


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Delays(_Told):
    """How long something took: how many took no longer than each bound, how many there were, and their sum."""

    bounds: tuple[float, ...] = ()
    within: tuple[int, ...] = ()  # for each bound
    count: int = 0
    total_s: float = 0.0


class Listening(_Told):
    """What who listens to a PBX knows of that."""

    connected: bool  # logged in, and the stock was taken
    why_not: str = ""
    level: bool = True  # all that was read is digested, or will be in a moment
    behind_s: float = 0.0
    clock_off_s: float = 0.0
    messages: int = 0
    bytes: int = 0
    reconnects: int = 0
    refused: dict[str, int] = {}
    journal_bytes: int = 0
    journal_most_bytes: int = 0
    uncommitted_bytes: int = 0
    journal_full: int = 0
    commits_waiting: int = 0
    oldest_waits_s: float = 0.0  # for so long nothing was committed, though something waits for it
    commits: Delays = Delays()


class Child(_Told):
    """A process that is kept beside the service."""

    up: bool
    ended: int = 0  # times
    why: str = ""  # it ended last


class Vitals(_Told):
    """What a process tells. Of `failing` jobs it says why; `listening` is None where it does not listen."""

    role: str
    pbx: str
    node: str
    version: str = ""
    python: str = ""
    state: State = "starting"
    why: str = ""  # it stands by
    began_at: int = 0
    at: int = 0
    loop_delay_s: float = 0.0
    memory_bytes: int = 0
    cpu_s: float = 0.0
    database_off_s: float | None = None  # None: not known
    failing: dict[str, str] = {}
    children: dict[str, Child] = {}
    listening: Listening | None = None
