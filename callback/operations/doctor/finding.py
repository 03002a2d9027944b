"""What the doctor says of one thing that it looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Level = Literal["ok", "warning", "fault"]
_SHOWN: Final = {"ok": "ok   ", "warning": "WARN ", "fault": "FAULT"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: sound, sound enough to run with, or at fault; the last two with their remedy."""

    level: Level
    what: str
    remedy: str = ""

    @property
    def ok(self) -> bool:
        """Whether the service can run with it."""
        return self.level != "fault"

    def line(self) -> str:
        """One line for people, and a second one for the remedy."""
        remedy = f"\n        → {self.remedy}" if self.remedy else ""
        return f"  {_SHOWN[self.level]} {self.what}{remedy}"


def sound(what: str) -> Finding:
    """A finding that something is as it should be."""
    return Finding("ok", what)


def warning(what: str, remedy: str) -> Finding:
    """A finding of what the service will do without, or where it opens more than it needs."""
    return Finding("warning", what, remedy)


def fault(what: str, remedy: str) -> Finding:
    """A finding of what keeps the service from doing its work."""
    return Finding("fault", what, remedy)
