"""What Asterisk's `eventfilter` lets through: the lines of a manager.conf, read as Asterisk reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

SHIPPED: Final = Path(__file__).parents[1] / "dialplan" / "manager_lcr.conf"
"""The manager user that we ship."""
_LINE: Final = re.compile(r"^eventfilter\s*=>?\s*(!?)(.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Patterns of events that are sent, and of those that are not; with neither, all are.

    Each is an extended regular expression, looked for in an event's whole text: `^` is the text's beginning alone,
    `.` a line's end too (main/manager.c compiles with REG_EXTENDED and without REG_NEWLINE).
    """

    includes: tuple[re.Pattern[bytes], ...] = ()
    excludes: tuple[re.Pattern[bytes], ...] = ()

    @classmethod
    def load(cls, path: Path = SHIPPED) -> Self:
        """Read the lines of a file."""
        lines = _LINE.findall(path.read_text())
        parts = ([re.compile(text.encode(), re.DOTALL) for mark, text in lines if mark == of] for of in ("", "!"))
        return cls(*map(tuple, parts))

    def passes(self, raw: bytes) -> bool:
        """Tell whether an event is sent."""
        if self.includes and not any(pattern.search(raw) for pattern in self.includes):
            return False
        return not any(pattern.search(raw) for pattern in self.excludes)
