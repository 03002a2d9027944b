"""What a process of the service does: all of it, or one part of it, on a host of its own."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """`all` is the whole service in one process; the others are its parts.

    `pbx` listens, commits, decides and dials. `text` sends texts and tells programs, and keeps the database in order.
    `web` keeps the console and the door.
    """

    ALL = "all"
    PBX = "pbx"
    TEXT = "text"
    WEB = "web"

    @property
    def listens(self) -> bool:
        """Whether it needs the PBX, and so its journal and the manager's account."""
        return self in {Role.ALL, Role.PBX}
