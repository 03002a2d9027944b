"""Who worked with a journal: proof for a successor that those before it are dead.

Only one process at a time has a journal's lock, so whoever holds it knows that all who signed there are dead. No name
of a host says that, and no id that a copy of the folder has too: a signature counts beside the very file of the lock
with which it was made (its inode), and a copy has another one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from telephony import private

LOCK: Final = "journal.lock"
_FILE: Final = "journal.signed"
_KEPT: Final = 8


def signatures(directory: Path) -> list[str]:
    """Say who worked with the journal in a directory, the latest last; nobody did with a copy."""
    path = directory / _FILE
    if not private.is_seen(path) or not private.is_seen(directory / LOCK):
        return []
    here = _lock_of(directory)
    signed = (line.partition(" ") for line in path.read_text(errors="replace").splitlines())
    return [name for inode, _, name in signed if inode == here]


def sign(directory: Path, name: str) -> None:
    """Write down who works with the journal from now on, which needs its lock. OSError where that cannot be kept."""
    kept, here = [*signatures(directory), name][-_KEPT:], _lock_of(directory)
    draft = directory / f"{_FILE}.new"
    private.write(draft, "".join(f"{here} {one}\n" for one in kept))
    draft.replace(directory / _FILE)


def _lock_of(directory: Path) -> str:
    return str((directory / LOCK).stat().st_ino)
