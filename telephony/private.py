"""Files and folders for their owner alone: callers' numbers are nobody else's affair.

They are made so; what is there already keeps the rights that somebody gave it.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

FILE: Final = 0o600
FOLDER: Final = 0o700


def make_folder(directory: Path) -> None:
    """Make a folder and those above it that are missing."""
    for folder in (*reversed(directory.parents), directory):
        if not folder.exists():
            with suppress(FileExistsError):  # another was quicker
                folder.mkdir(mode=FOLDER)
    if not directory.is_dir():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(directory))


def write(path: Path, text: str) -> None:
    """Write a small file; it is on the disk when this returns."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def is_open_to_others(path: Path) -> bool:
    """Whether any user of this machine may read a file or look into a folder: it, and every folder on the way to it."""
    real = path.resolve()
    on_the_way = all(folder.stat().st_mode & stat.S_IXOTH for folder in real.parents)
    return on_the_way and bool(real.stat().st_mode & stat.S_IROTH)
