"""Makes files and folders that only their owner can read: they hold callers' numbers.

What exists already keeps its rights.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final, TextIO

FILE: Final = 0o600
FOLDER: Final = 0o700
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


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


def open_private(path: Path) -> TextIO:
    """Open a file to append to."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, FILE), "a", encoding="utf-8")


def make_file(path: Path) -> None:
    """Make an empty file where there is none; one that is there is not touched, nor opened."""
    with suppress(OSError):  # whoever opens it next says why
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE))


def is_seen(path: Path) -> bool:
    """Whether there is something at a path; what we may not look at is not seen, and whoever opens it says why."""
    try:
        path.stat()
    except OSError:
        return False
    return True


def is_changed_by_others(path: Path) -> bool:
    """Whether a user beside its owner (and root) may change a file or a folder, or put another in its place."""
    if not is_seen(path):
        return False
    real = path.resolve()
    above = real.parent.stat().st_mode
    replaced = above & _OTHERS_WRITE and not above & stat.S_ISVTX
    return bool(real.stat().st_mode & _OTHERS_WRITE or replaced)


def is_open_to_others(path: Path) -> bool:
    """Whether any user of this machine may read a file or look into a folder: it, and every folder on the way to it."""
    if not is_seen(path):
        return False
    real = path.resolve()
    on_the_way = all(folder.stat().st_mode & stat.S_IXOTH for folder in real.parents)
    return on_the_way and bool(real.stat().st_mode & stat.S_IROTH)
