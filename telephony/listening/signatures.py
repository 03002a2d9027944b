"""Signatures of the processes that used a journal: they prove to a successor that all earlier ones have ended.

Only one process at a time has a journal's lock, so its holder knows that all earlier signers have ended. A host name
does not prove that, nor an id that a copy of the folder has too: a signature counts only beside the lock file with
which it was made (its inode), and a copy has another one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from telephony import private

LOCK: Final = "journal.lock"
_FILE: Final = "journal.signed"
_KEPT: Final = 8


def signatures(directory: Path) -> list[str]:
    """Give the names of those that used the journal in a directory, the latest last; none for a copy."""
    path = directory / _FILE
    if not private.is_seen(path) or not private.is_seen(directory / LOCK):
        return []
    here = _lock_of(directory)
    lines = (line.partition(" ") for line in path.read_text(errors="replace").splitlines())
    return [name for inode, _, name in lines if inode == here]


def sign(directory: Path, name: str) -> None:
    """Add the name of the process that now uses the journal, and has its lock. OSError if it cannot be written."""
    kept, here = [*signatures(directory), name][-_KEPT:], _lock_of(directory)
    draft = directory / f"{_FILE}.new"
    private.write(draft, "".join(f"{here} {one}\n" for one in kept))
    draft.replace(directory / _FILE)


def _lock_of(directory: Path) -> str:
    return str((directory / LOCK).stat().st_ino)
