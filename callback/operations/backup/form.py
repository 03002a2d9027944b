"""The form of a backup: lines of JSON in gzip, alike for SQLite and PostgreSQL; its last line proves the others.

First the head, then each table (its name and columns, followed by its rows, many to a line), then files, then the end:
how many rows of each table there are, and the SHA-256 of all lines before. A file without an end was cut off.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from callback.errors import CallbackError

FORMAT: Final = "lost-call-recovery backup"
VERSION: Final = 1
SUFFIX: Final = ".lcr"
_LEVEL: Final = 3  # three times as fast as the usual one, and a fifth larger
_LONGEST: Final = 256 << 20  # a line that never ends is no line of ours
Row = Sequence[Any]


class DamagedBackup(CallbackError):
    """The file is no backup, or not as it was written; nothing was made of it."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a backup says of itself: `tables` are the rows that each has."""

    schema: str
    made_at: int
    database: str
    program: str
    host: str
    tables: dict[str, int]

    @property
    def rows(self) -> int:
        """All its rows."""
        return sum(self.tables.values())


@dataclass(frozen=True, slots=True)
class Columns:
    """A table begins; `json` and `boolean` are columns of those types."""

    table: str
    names: list[str]
    json: list[str]
    boolean: list[str]


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a table, in the order of its columns; what is JSON is text, as it stands in the database."""

    columns: Columns
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file beside the database: `kind` is settings, template or key."""

    kind: str
    name: str
    text: str = field(repr=False)


Item = Columns | Rows | KeptFile


class Writer:
    """Writes the lines of a backup, in their order."""

    def __init__(self, out: gzip.GzipFile) -> None:
        self._out, self._digest, self._rows = out, hashlib.sha256(), dict[str, int]()

    def head(self, head: Head) -> None:
        """Begin."""
        self._line({"format": FORMAT, "version": VERSION, **asdict(head)})

    def columns(self, columns: Columns) -> None:
        """Begin a table."""
        self._rows[columns.table] = 0
        self._line(asdict(columns))

    def rows(self, table: str, rows: Sequence[Row]) -> None:
        """Some rows of the table that was begun last."""
        self._rows[table] += len(rows)
        self._line([list(row) for row in rows])

    def file(self, kept: KeptFile) -> None:
        """A file."""
        self._line({"file": kept.kind, "name": kept.name, "text": kept.text})

    def end(self) -> str:
        """End, and give the digest of all."""
        digest = self._digest.hexdigest()
        self._line({"end": digest, "rows": self._rows})
        return digest

    def _line(self, value: object) -> None:
        line = json.dumps(value, separators=(",", ":")).encode() + b"\n"
        self._digest.update(line)
        self._out.write(line)


@contextmanager
def written(path: Path) -> Iterator[Writer]:
    """Write a backup beside its place, for its owner alone; it gets its name when all of it is on the disk."""
    if path.exists():
        raise CallbackError(f"{path} is there already: name another file, as with the date in its name")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600
    except OSError as error:
        raise CallbackError(f"{path} cannot be written: {error.strerror}; name a folder that is there") from error
    try:
        with os.fdopen(handle, "wb") as file:
            with gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as packed:
                yield Writer(packed)
            file.flush()
            os.fsync(file.fileno())
        Path(name).rename(path)
    except OSError as error:
        raise CallbackError(f"{path} cannot be written: {error.strerror}; make room, or name another place") from error
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def opened(path: Path, further: Callable[[int], None] = lambda _: None) -> Iterator[tuple[Head, Iterator[Item]]]:
    """Read a backup: its head, and what follows, whose end is proved when it was reached. DamagedBackup else.

    `further` is told how many bytes more of the file were read.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise CallbackError(f"{path} cannot be read: {error.strerror}") from error
    with file, gzip.GzipFile(fileobj=_Told(file, further), mode="rb") as packed:
        digest = hashlib.sha256()
        lines = _lines(path, packed, digest)
        yield _head(path, next(lines, None)), _items(path, lines)


class _Told:
    """A file that tells how much of it was read."""

    def __init__(self, file: IO[bytes], further: Callable[[int], None]) -> None:
        self._file, self._further = file, further

    def read(self, size: int = -1) -> bytes:
        found = self._file.read(size)
        self._further(len(found))
        return found

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)


def _lines(path: Path, packed: gzip.GzipFile, digest: hashlib._Hash) -> Iterator[tuple[str, Any]]:
    """Give each line's value, with the digest of all lines before it."""
    try:
        while line := packed.readline(_LONGEST):
            before = digest.hexdigest()
            digest.update(line)
            yield before, json.loads(line)
    except (EOFError, OSError, ValueError, zlib.error, RecursionError) as error:
        raise _damaged(path, f"it cannot be read on ({error})") from error


def _head(path: Path, line: tuple[str, Any] | None) -> Head:
    value = line[1] if line else None
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise DamagedBackup(f"{path} is no backup of this service")
    if value.get("version") != VERSION:
        raise DamagedBackup(f"{path} was made by a later version of the service: restore it with that version")
    try:
        return Head(**{name: value[name] for name in Head.__slots__})
    except KeyError as error:
        raise _damaged(path, f"its head has no {error}") from error


def _items(path: Path, lines: Iterator[tuple[str, Any]]) -> Iterator[Item]:
    counted: dict[str, int] = {}
    columns: Columns | None = None
    for before, value in lines:
        if isinstance(value, dict) and "end" in value:
            if value != {"end": before, "rows": counted} or next(lines, None) is not None:
                raise _damaged(path, "its digest or its counts are not those of what stands in it")
            return
        item = _item(value, columns)
        if item is None:
            raise _damaged(path, "a line in it is none of a backup's")
        if isinstance(item, Columns):
            columns = item
            counted[item.table] = 0
        elif isinstance(item, Rows):
            counted[item.columns.table] += len(item.rows)
        yield item
    raise _damaged(path, "its end is missing: it was cut off")


def _item(value: object, columns: Columns | None) -> Item | None:
    match value:
        case {"table": str(table), "names": list(names), "json": list(json_), "boolean": list(boolean)}:
            return Columns(table, names, json_, boolean)
        case list(rows) if columns is not None and all(_is_row(row, columns) for row in rows):
            return Rows(columns, rows)
        case {"file": str(kind), "name": str(name), "text": str(text)}:
            return KeptFile(kind, name, text)
    return None


def _is_row(row: object, columns: Columns) -> bool:
    return isinstance(row, list) and len(row) == len(columns.names)


def _damaged(path: Path, why: str) -> DamagedBackup:
    return DamagedBackup(f"{path} is damaged, {why}: nothing was changed; take another backup")
