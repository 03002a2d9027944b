"""A file of numbers, as CSV: whom a campaign tells besides callers, or instead of them. Pure.

    number,segment,language
    +81 90 1234 5678,fibre,en

The first line names the columns; `number` has to be there. Numbers are read as everywhere: what could be two people's
is refused, and nothing is guessed. A line that cannot be used is named with its number, and keeps no other out. It is
encoded as UTF-8 or GB18030, and divided by commas, semicolons or tabs.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from callback.campaigns.campaign import CampaignFault
from callback.customers import numbers
from callback.settings.sections import Trunk
from callback.site import spreadsheet

MOST_LINES: Final = 500_000
MOST_BYTES: Final = 64 * 1024 * 1024
SHOWN: Final = 100
"""As many refused lines are named; of the others, how many there were."""
_COLUMNS: Final = ("number", "segment", "language")
_SEGMENT_ROOM: Final = 128


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that names nobody: its number in the file, and why, in hyphenated words."""

    line: int
    why: str


@dataclass(frozen=True, slots=True)
class NumbersFile:
    """What a file says: people as (number, segment, language), and which lines were refused; `twice`: named again."""

    named: tuple[tuple[str, str, str], ...]
    refused: tuple[RefusedLine, ...]
    refused_count: int
    twice: int


def read(content: bytes, trunk: Trunk, languages: Collection[str]) -> NumbersFile:
    """Read a file. CampaignFault where it is none, or longer than may be taken."""
    lines = _lines(content)
    columns = _columns(next(lines, None))
    found: dict[str, tuple[str, str, str]] = {}
    refused: list[RefusedLine] = []
    count = twice = 0
    for line, row in lines:
        said = _said(row, columns, trunk, languages)
        if isinstance(said, tuple):
            twice += said[0] in found
            found[said[0]] = said
            continue
        count += 1
        if len(refused) < SHOWN:
            refused.append(RefusedLine(line, said))
    return NumbersFile(tuple(found.values()), tuple(refused), count, twice)


def _lines(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """The lines that are not empty, each with its number in the file."""
    if len(content) > MOST_BYTES:
        raise CampaignFault(f"the file has more than {MOST_BYTES // 1024**2} MB: divide it")
    text = spreadsheet.text_of(content)
    if text is None:
        raise CampaignFault("the file is neither UTF-8 nor GB18030: save it as CSV in UTF-8")
    delimiter = spreadsheet.delimiter(text.partition("\n")[0])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    taken = 0
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                taken += 1
                if taken > MOST_LINES + 1:
                    raise CampaignFault(f"the file has more than {MOST_LINES} lines: divide it")
                yield reader.line_num, row
    except csv.Error as fault:
        raise CampaignFault(f"line {reader.line_num} of the file is no CSV: {fault}") from fault


def _columns(first: tuple[int, list[str]] | None) -> dict[str, int]:
    names = [cell.strip().lower() for cell in first[1]] if first else []
    if "number" not in names:
        raise CampaignFault("the first line of the file must name its columns: number, and segment or language with it")
    if unknown := [name for name in names if name not in _COLUMNS]:
        raise CampaignFault(f"the file has a column '{unknown[0][:40]}'; there may be {', '.join(_COLUMNS)}")
    if len(set(names)) < len(names):
        raise CampaignFault("the file names a column twice")
    return {name: names.index(name) for name in names}


def _said(
    row: list[str], columns: dict[str, int], trunk: Trunk, languages: Collection[str]
) -> tuple[str, str, str] | str:
    """What a line says of whom, or why it cannot be used."""
    cells = {name: row[place].strip() if place < len(row) else "" for name, place in columns.items()}
    segment, language = cells.get("segment", ""), cells.get("language", "")
    if len(row) > len(columns):
        return "too-many-columns"
    if len(segment) > _SEGMENT_ROOM or not segment.isprintable():
        return "segment-not-usable"
    if language and language not in languages:
        return "no-such-language"
    number = numbers.written(cells["number"], trunk)
    return number.reason if isinstance(number, numbers.Refused) else (number.e164, segment, language)
