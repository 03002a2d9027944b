"""A file of complaints, as CSV: the first line names the columns, each line below it is one complaint.

    number,queue,topic,words,wish,opened,reference
    090-1234-5678,support,billing/wrong-amount,I was charged twice,the money back,2026-11-23 09:40,CRM-1873

`number` and `words` have to be there, the others may. Encoded as UTF-8 or GB18030, divided by commas, semicolons or
tabs. It is read line by line: a line that cannot be used is named with its number and the remedy, and keeps no other
out; one that never ends takes no memory.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO
from zoneinfo import ZoneInfo

from callback.decisions.care.registering import Complaint
from callback.errors import CallbackError
from callback.site import spreadsheet, written

COLUMNS: Final = (
    "number",
    "queue",
    "topic",
    "product",
    "department",
    "severity",
    "words",
    "wish",
    "opened",
    "reference",
)
NEEDED: Final = ("number", "words")
LONGEST: Final = 32_768
"""Characters of a line, with all that stands in quotes over several lines."""
_BLOCK: Final = 1 << 16


class BadFile(CallbackError):
    """The file as a whole is of no use; the sentence says what to mend."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line of which nothing is kept: its number in the file, and what to mend."""

    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line that can be used: its number, and the complaint."""

    line: int
    complaint: Complaint


@dataclass(frozen=True, slots=True)
class Reading:
    """How cells are understood: by which clock, and of which queue a complaint is where no column says so."""

    now: int
    zone: ZoneInfo
    queue: str = ""


def encoding_of(file: Path) -> str:
    """Tell how the file is encoded, by reading all of it. BadFile where it is neither."""
    for encoding in spreadsheet.ENCODINGS:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with file.open("rb") as opened:
                while block := opened.read(_BLOCK):
                    decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        else:
            return encoding
    raise BadFile(f"{file} is neither UTF-8 nor GB18030: save it as CSV in UTF-8")


def read(file: Path, reading: Reading, further: Callable[[int], None]) -> Iterator[Line | BadLine]:
    """Give each line of a file; `further` hears how many bytes more are read. BadFile where it is none."""
    encoding = encoding_of(file)
    with file.open(encoding=encoding, newline="") as text, _long_fields():
        lines = _Lines(text, encoding, further)
        first = next(lines, "")
        delimiter = spreadsheet.delimiter(first)
        columns = _columns(next(csv.reader([first], delimiter=delimiter), []))
        for number, cells in _rows(lines, delimiter):
            yield _said(number, cells, columns, reading)


@contextmanager
def _long_fields() -> Iterator[None]:
    before = csv.field_size_limit(LONGEST)
    try:
        yield
    finally:
        csv.field_size_limit(before)


class _Lines(Iterator[str]):
    """The lines of a text, each no longer than may be; what was longer is skipped up to its end, and marked."""

    def __init__(self, text: TextIO, encoding: str, further: Callable[[int], None]) -> None:
        self._text, self._encoding, self._further = text, encoding, further
        self.number = 0
        self.too_long = False

    def __next__(self) -> str:
        line = self._text.readline(LONGEST)
        if not line:
            raise StopIteration
        self.number += 1
        self._count(line)
        rest = line
        while len(rest) == LONGEST and not rest.endswith("\n"):
            self.too_long = True
            rest = self._text.readline(LONGEST)
            self._count(rest)
        return line

    def _count(self, said: str) -> None:
        self._further(len(said.encode(self._encoding.removesuffix("-sig"))))


def _rows(lines: _Lines, delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """Each row that is not empty, with the number of its first line; or what is wrong with it."""
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        begins, lines.too_long = lines.number + 1, False
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield begins, _fault(error, begins, lines.number)
            continue
        if lines.too_long:
            yield begins, f"it is longer than {LONGEST} characters: shorten it"
        elif any(cell.strip() for cell in row):
            yield begins, row


def _fault(error: csv.Error, begins: int, ends: int) -> str:
    if "field larger" in str(error) or ends > begins or "unexpected end" in str(error):
        return f"a quote that is opened here is not closed before line {ends + 1}: close it, or double it"
    return f"it is no CSV ({error}): put the cell in quotes, and double those within"


def _columns(first: list[str]) -> dict[str, int]:
    names = [cell.strip().lower() for cell in first]
    there = f"the first line names the columns: {', '.join(COLUMNS)}"
    for needed in NEEDED:
        if needed not in names:
            raise BadFile(f"line 1: there is no column '{needed}'; {there}")
    for name in names:
        if name not in COLUMNS:
            raise BadFile(f"line 1: '{name[:40]}' is no column that is known; {there}")
        if names.count(name) > 1:
            raise BadFile(f"line 1: the column '{name}' is there twice")
    return {name: place for place, name in enumerate(names)}


def _said(line: int, row: list[str] | str, columns: Mapping[str, int], reading: Reading) -> Line | BadLine:
    if isinstance(row, str):
        return BadLine(line, row)
    if len(row) > len(columns):
        return BadLine(line, f"it has {len(row)} cells for {len(columns)} columns: put those with commas in quotes")
    if any("\0" in cell for cell in row):
        return BadLine(line, "it holds a NUL: the file may be no text; save it as CSV anew")
    cells = {name: row[place].strip() if place < len(row) else "" for name, place in columns.items()}
    try:
        return Line(line, _complaint(cells, reading))
    except CallbackError as error:
        return BadLine(line, str(error))


def _complaint(cells: Mapping[str, str], reading: Reading) -> Complaint:
    """Make a complaint of a line. One without a reference is known again by what stands in it."""
    queue, opened, severity = cells.get("queue") or reading.queue, cells.get("opened", ""), cells.get("severity", "")
    if not queue:
        raise CallbackError("no queue: fill the column 'queue', or name one for all with --queue")
    if severity not in {"", "1", "2", "3"}:
        raise CallbackError(f"severity '{severity[:20]}' is not 1 (slight), 2 (serious) or 3 (grave)")
    return Complaint(
        queue=queue,
        number=cells["number"],
        topic=cells.get("topic", ""),
        product=cells.get("product", ""),
        department=cells.get("department", ""),
        severity=int(severity or 1),
        words=cells["words"],
        wish=cells.get("wish", ""),
        reference=cells.get("reference") or _digest(cells),
        opened_at=_opened_at(opened, reading) if opened else None,
        source="csv",
    )


def _opened_at(said: str, reading: Reading) -> int:
    at = written.instant(said, reading.now, reading.zone)
    if at > reading.now:
        raise CallbackError(f"opened '{said[:40]}' is still to come: write a date with its time, as 2026-11-23 09:40")
    return at


def _digest(cells: Mapping[str, str]) -> str:
    said = "\0".join(f"{name}={cells[name]}" for name in sorted(cells) if cells[name])
    return f"csv:{hashlib.sha256(said.encode()).hexdigest()[:40]}"
