"""Whether a backup is whole: every line of it, its counts, its digest, and the audit's chain in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from callback.operations.backup import form
from callback.operations.backup.form import Columns, DamagedBackup, Head, KeptFile, Rows
from callback.store import audit


@dataclass(frozen=True, slots=True)
class Proved:
    """A backup that is whole: its head, the audit's rows in it, and which files it holds beside the tables."""

    head: Head
    audit: audit.Head
    files: tuple[tuple[str, str], ...]


def prove(path: Path, further: Callable[[int], None] = lambda _: None) -> Proved:
    """Read all of a backup. DamagedBackup where it is not as it was written, or its audit was tampered with."""
    chain, files = _Chain(path), list[tuple[str, str]]()
    with form.opened(path, further) as (head, items):
        for item in items:
            match item:
                case Rows(columns, rows) if columns.table == "audit":
                    chain.follow(columns, rows)
                case Rows(columns, rows) if columns.table == "audit_head":
                    chain.tell_end(columns, rows)
                case Rows(columns, rows) if columns.table == "audit_cut":
                    chain.begin_after(columns, rows)
                case KeptFile(kind, name):
                    files.append((kind, name))
                case _:
                    pass
    return Proved(head, chain.end(), tuple(files))


def files_in(path: Path) -> Iterator[KeptFile]:
    """Give the files of a backup; of one that is damaged, those before the damage, and DamagedBackup."""
    with form.opened(path) as (_, items):
        yield from (item for item in items if isinstance(item, KeptFile))


class _Chain:
    """The audit's chain as it is read: its head may stand before it or after it."""

    def __init__(self, path: Path) -> None:
        self._path, self._found, self._told = path, audit.Head(0, audit.GENESIS), audit.Head(0, audit.GENESIS)
        self._first: audit.Head | None = None
        self._began = audit.Head(0, audit.GENESIS)

    def begin_after(self, columns: Columns, rows: list[form.Row]) -> None:
        """The chain's beginning was deleted up to here, by its age."""
        cut = dict(zip(columns.names, rows[0], strict=True))
        self._began = audit.Head(cut["rows"], cut["hash"])

    def follow(self, columns: Columns, rows: list[form.Row]) -> None:
        rows_, previous = self._found
        for values in rows:
            row = dict(zip(columns.names, values, strict=True))
            row["facts"] = json.loads(row["facts"])
            if self._first is None:
                self._first, previous = audit.Head(0, row["previous"]), row["previous"]
            if not audit.is_sound(row, previous):
                raise DamagedBackup(f"{self._path}: the audit in it was tampered with, at row {row['id']}")
            rows_, previous = rows_ + 1, row["hash"]
        self._found = audit.Head(rows_, previous)

    def tell_end(self, columns: Columns, rows: list[form.Row]) -> None:
        end = dict(zip(columns.names, rows[0], strict=True))
        self._told = audit.Head(end["rows"], end["hash"])

    def end(self) -> audit.Head:
        first = self._began if self._first is None else self._first
        found = audit.Head(self._found.rows + self._began.rows, self._found.hash if self._found.rows else first.hash)
        if found != self._told or first.hash != self._began.hash:
            raise DamagedBackup(f"{self._path}: the audit in it was tampered with: rows are missing at one of its ends")
        return self._told
