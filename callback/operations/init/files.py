"""Writing the files of a new site: none is ever overwritten without being asked, and then a copy stays."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final, Literal

from callback.errors import CallbackError
from telephony import private

Fate = Literal["written", "as it is", "differs", "replaced"]
_SHOWN: Final = 20
_SECRET: Final = re.compile(r"^([-+ ]?\s*secret\s*=\s*).*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Draft:
    """A file to be written, and who may read it."""

    path: Path
    text: str
    mode: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a draft: how its file differs, where it does, and where a copy of the old one stands."""

    draft: Draft
    fate: Fate
    differs: tuple[str, ...] = ()
    kept: Path | None = None


def put(draft: Draft, *, force: bool) -> Outcome:
    """Write a file where there is none, or where it may be replaced. Raises CallbackError with the remedy."""
    try:
        private.make_folder(draft.path.parent)
        if not private.is_seen(draft.path):
            _write(draft)
            return Outcome(draft, "written")
        there = draft.path.read_text(encoding="utf-8", errors="replace")
        if there == draft.text:
            return Outcome(draft, "as it is")
        differs = tuple(_differences(there, draft.text))
        if not force:
            return Outcome(draft, "differs", differs)
        kept = _set_aside(draft.path)
        _write(draft)
    except OSError as error:
        remedy = "name another folder by --folder, or ask as a user who may write there"
        raise CallbackError(f"{draft.path} cannot be written ({error.strerror}): {remedy}") from error
    return Outcome(draft, "replaced", differs, kept)


def _write(draft: Draft) -> None:
    """Write it whole or not at all; its rights are set before anything stands in it."""
    new = draft.path.with_name(f".{draft.path.name}.new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), draft.mode)
        file.write(draft.text)
        file.flush()
        os.fsync(file.fileno())
    new.rename(draft.path)


def _set_aside(path: Path) -> Path:
    """Keep what is there under a name of its own."""
    for number in count(1):
        kept = path.with_name(f"{path.name}.{number}.old")
        if not private.is_seen(kept):
            path.rename(kept)
            return kept
    raise AssertionError


def _differences(there: str, new: str) -> Iterator[str]:
    """Say in which lines; a secret is not shown."""
    found = [
        _SECRET.sub(r"\1…", line)
        for line in difflib.unified_diff(there.splitlines(), new.splitlines(), "there", "new", lineterm="", n=0)
    ][2:]
    yield from found[:_SHOWN]
    if len(found) > _SHOWN:
        yield f"… and {len(found) - _SHOWN} lines more"
