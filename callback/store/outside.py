"""The root of the site's keys outside of the database: in a file of its own, or in the settings' environment."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from callback.errors import StoreError
from telephony import private

ROOT_BYTES: Final = 32
_ROOT: Final = re.compile(rf"[0-9a-f]{{{2 * ROOT_BYTES}}}")


def fresh_root() -> str:
    """Make a new random root, in hexadecimal digits."""
    return secrets.token_hex(ROOT_BYTES)


def is_root(text: str) -> bool:
    """Whether a text has the form of a root."""
    return _ROOT.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Outside:
    """Where the root is kept: a file, or, where there is none, the value of a setting."""

    file: Path | None
    value: str = ""

    def __str__(self) -> str:
        return f"[database] key_file {self.file}" if self.file else "[database] key (CALLBACK_DATABASE__KEY)"

    def read(self) -> str | None:
        """Give the root; None where the file is not there yet. StoreError where it cannot be read, or holds none."""
        if self.file is None:
            return self.value
        try:
            found = self.file.read_bytes().strip().lower()
        except FileNotFoundError:
            return None
        except OSError as error:
            remedy = "let the service's user read it (chown, chmod 600)"
            raise StoreError(f"{self} cannot be read ({error.strerror}): {remedy}") from error
        root = found.decode("ascii", "replace")
        if not is_root(root):
            remedy = "put it back from a backup or another host; if no service has run with it yet, remove the file"
            raise StoreError(f"{self} holds no key, which is {2 * ROOT_BYTES} hexadecimal digits: {remedy}")
        return root

    def keep(self, root: str) -> str:
        """Give what is kept after this: the root, or what somebody quicker put there. It is on the disk by then."""
        if self.file is None:
            return self.value
        try:
            _make(self.file, f"{root}\n")
        except OSError as error:
            remedy = "name a file in a folder to which the service's user may write; the key stays where it was"
            raise StoreError(f"{self} cannot be made ({error.strerror}): {remedy}") from error
        found = self.read()
        if found is None:
            raise StoreError(f"{self} was removed while it was made: start again")
        return found


def _make(file: Path, content: str) -> None:
    """Make a file whole or not at all, for its owner alone; one that is there already stays."""
    private.make_folder(file.parent)
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(handle, "w") as new:
            new.write(content)
            new.flush()
            os.fsync(new.fileno())
        with suppress(FileExistsError):
            os.link(name, file)
    finally:
        Path(name).unlink()
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
