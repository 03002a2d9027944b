"""Who worked with a journal: proof for a successor that those before it are dead.

Only one process at a time has a journal's lock, so whoever holds it knows that all who signed there are dead. No name
of a host says that, and no id that a copy of the folder has too: a copy is not signed by those who work with the
original after it was made.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from telephony import private

_FILE: Final = "journal.signed"
_KEPT: Final = 8


def signatures(directory: Path) -> list[str]:
    """Say who worked with the journal in a directory, the latest last."""
    path = directory / _FILE
    return path.read_text(errors="replace").splitlines() if private.is_seen(path) else []


def sign(directory: Path, name: str) -> None:
    """Write down who works with the journal from now on, which needs its lock. OSError where that cannot be kept."""
    kept = [*signatures(directory), name][-_KEPT:]
    draft = directory / f"{_FILE}.new"
    private.write(draft, "".join(f"{line}\n" for line in kept))
    draft.replace(directory / _FILE)
