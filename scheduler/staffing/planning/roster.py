"""A roster, read from a CSV file in one of several common layouts.

Shapes, told apart by the header; columns come in any order, others are passed over:

- shifts:   `agent, day, start, end`, perhaps `queue`, `break` ("12:00-12:30, 15:00-15:15"), `agents` (how many)
- a week:   `agent, Mon, Tue, ...` with "09:00-17:00" in the cells; empty or a word like "off" is a day off
- counts:   `day, time, agents`, perhaps `queue`
- a table:  `time, Mon, Tue, ...` or `day, 09:00, 09:30, ...` with numbers in the cells

A day is a weekday (every such day) or a date (that day alone; it goes before the weekday). Times are 9, 9:00, 09.30,
0930, 5pm or 24:00; a shift that ends before it starts ends on the next day. Separators are comma, semicolon, tab or
bar. Every fault is reported at once, with its line and what helps.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from scheduler.errors import SchedulerError
from scheduler.staffing.blocks import Block
from scheduler.staffing.halfhours import A_DAY
from scheduler.staffing.planning.cells import (
    BadCell,
    Column,
    RosterDay,
    as_column,
    as_count,
    as_day,
    as_span,
    as_spans,
    as_time,
    step_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from scheduler.staffing.halfhours import Day
    from scheduler.staffing.planning.cells import Kind

_MINUTES = A_DAY * 30
_HALF = 15
_MOST_FAULTS = 20
_SEPARATORS = ",;\t|"
_ENCODINGS = ("utf-8-sig", "gb18030", "latin-1")


class RosterError(SchedulerError):
    """A roster cannot be read: one sentence for each fault, with its line."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Some agents' work on one day (a date, or a weekday: 0 is Monday), in minutes after that day's midnight.

    `until` may lie beyond the day's end. `agent` is empty where the roster only counts.
    """

    day: date | int
    start: int
    until: int
    agent: str = ""
    queue: str = ""
    agents: float = 1.0
    breaks: tuple[tuple[int, int], ...] = ()

    def minutes(self, start: int, until: int) -> int:
        """Give how many minutes between `start` and `until` are worked."""
        worked = _shared((self.start, self.until), (start, until))
        return worked - sum(_shared(pause, (start, until)) for pause in self.breaks)


@dataclass(frozen=True, slots=True)
class Roster:
    """The planned shifts of all agents."""

    shifts: tuple[Shift, ...]
    _by_day: Mapping[date | int, list[Shift]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_day: dict[date | int, list[Shift]] = {}
        for shift in self.shifts:
            by_day.setdefault(shift.day, []).append(shift)
        object.__setattr__(self, "_by_day", by_day)

    def of(self, day: date) -> list[Shift]:
        """Give the shifts that begin on `day`: those of the date, or else of its weekday."""
        return self._by_day.get(day) or self._by_day.get(day.weekday(), [])

    def present(self, day: date, queue: str | None = None) -> Day:
        """Count the agents at work in each half hour of `day`, in one queue or all; parts of one count as parts.

        A shift without a queue serves every queue.
        """
        counts = [0.0] * A_DAY
        for shifts, offset in ((self.of(day - timedelta(days=1)), _MINUTES), (self.of(day), 0)):
            for shift in shifts:
                if queue is None or shift.queue in {"", queue}:
                    for number in range(A_DAY):
                        start = offset + number * 30
                        counts[number] += shift.agents * shift.minutes(start, start + 30) / 30
        return tuple(counts)

    def blocks(self, day: date, queue: str | None = None) -> list[Block]:
        """Give the named agents' shifts of `day` in whole half hours, as planning takes them, cut at midnight."""
        return [
            block
            for shift in self.of(day)
            if shift.agent and (queue is None or shift.queue in {"", queue}) and (block := _block(shift))
        ]


def _block(shift: Shift) -> Block | None:
    """Round a shift to half hours: those of which half or more is worked, with its breaks between them."""
    worked = [number for number in range(A_DAY) if shift.minutes(number * 30, number * 30 + 30) >= _HALF]
    if not worked:
        return None
    first, until = worked[0], worked[-1] + 1
    return Block(shift.agent, first, until, tuple(sorted(set(range(first, until)) - set(worked))))


def _shared(one: tuple[int, int], other: tuple[int, int]) -> int:
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))


def read(content: bytes) -> Roster:
    """Read a roster from the bytes of a CSV file. A `RosterError` lists every fault."""
    rows = _rows(_decoded(content))
    for place, (line, header) in enumerate(rows):
        body = rows[place + 1 :]
        columns = _named([as_column(cell) for cell in header], body)
        if _is_header(columns):
            return _read(line, columns, body)
    raise RosterError(
        "no header line found: let the first line name its columns, as in agent,day,start,end or time,Mon,Tue,Wed"
    )


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    for encoding in _ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise AssertionError  # latin-1 reads everything


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """Cut the text into rows with the number of their line, empty ones left out."""
    lines = text.splitlines()
    head = next((line for line in lines if line.strip()), "")
    reader = csv.reader(lines, delimiter=max(_SEPARATORS, key=head.count), skipinitialspace=True)
    rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    return [(line, row) for line, row in rows if any(row)]


def _named(columns: list[Column], rows: Sequence[tuple[int, list[str]]]) -> list[Column]:
    """Name a first column whose header says nothing by what stands below it, where the others are days or times."""
    kinds = {column.kind for column in columns[1:]}
    if columns[0].kind != "other" or not rows or not kinds & {"day of", "time of"}:
        return columns
    kind: Kind = "day" if "time of" in kinds else "agent"
    if kind == "agent" and _reads(as_span, rows[0][1][0]):
        kind = "time"
    return [Column(kind, columns[0].text), *columns[1:]]


def _reads(read: Callable[[str], object], cell: str) -> bool:
    try:
        read(cell)
    except BadCell:
        return False
    return True


def _is_header(columns: Sequence[Column]) -> bool:
    kinds = {column.kind for column in columns}
    if "day of" in kinds:
        return "time of" not in kinds and bool(kinds & {"agent", "time"})
    return any(shape <= kinds for shape in ({"day", "start", "until"}, {"day", "time", "agents"}, {"day", "time of"}))


def _read(line: int, columns: Sequence[Column], rows: Sequence[tuple[int, list[str]]]) -> Roster:
    faults = [f"line {line}: two columns say {kind!r}: leave one" for kind in _twice(columns)]
    shifts: list[Shift] = []
    step = step_of(_times(columns, rows))
    for number, row in rows:
        if len(row) > len(columns) and any(row[len(columns) :]):
            faults.append(f"line {number}: more cells than the header has columns: quote cells that hold a separator")
            continue
        cells = list(zip(columns, [*row, *[""] * (len(columns) - len(row))], strict=False))
        try:
            shifts += (shift for shift in _shifts(cells, step) if shift.agents)
        except BadCell as bad:
            faults.append(f"line {number}: {bad}")
    if not shifts and not faults:
        faults.append(f"line {line}: no shift follows the header: add a line for each shift")
    if faults:
        more = len(faults) - _MOST_FAULTS
        raise RosterError("\n".join(faults[:_MOST_FAULTS] + ([f"and {more} more"] if more > 0 else [])))
    return Roster(tuple(shifts))


def _twice(columns: Sequence[Column]) -> list[str]:
    kinds = [column.kind for column in columns if column.kind not in {"other", "day of", "time of"}]
    return sorted({kind for kind in kinds if kinds.count(kind) > 1})


def _times(columns: Sequence[Column], rows: Iterable[tuple[int, list[str]]]) -> list[str]:
    """Give the cells that name times, in the header or below it."""
    places = [place for place, column in enumerate(columns) if column.kind == "time"]
    header = [column.text for column in columns if column.kind == "time of"]
    return header + [row[place] for _, row in rows for place in places if place < len(row)]


def _shifts(cells: Sequence[tuple[Column, str]], step: int) -> Iterator[Shift]:
    """Read one line, in whichever shape the header says; a single time stands for `step` minutes."""
    named: dict[str, str] = {column.kind: text for column, text in cells}
    days = [(as_day(column.text), text) for column, text in cells if column.kind == "day of"]
    times = [(as_span(column.text, step), text) for column, text in cells if column.kind == "time of"]
    queue = named.get("queue", "")
    if days and "time" in named:
        yield from (_counted(day, queue, as_span(named["time"], step), text) for day, text in days)
    elif days:
        yield from (_shift(day, span, named) for day, text in days for span in as_spans(text))
    elif times:
        yield from (_counted(as_day(named["day"]), queue, span, text) for span, text in times)
    elif "start" in named:
        yield _shift(as_day(named["day"]), (as_time(named["start"]), as_time(named["until"])), named)
    else:
        yield _counted(as_day(named["day"]), queue, as_span(named["time"], step), named["agents"])


def _counted(day: RosterDay, queue: str, span: tuple[int, int], text: str) -> Shift:
    return Shift(day, *span, "", queue, as_count(text))


def _shift(day: RosterDay, span: tuple[int, int], named: Mapping[str, str]) -> Shift:
    start, until = span
    until += _MINUTES * (until <= start)
    spans = as_spans(named.get("break", ""))
    breaks = [(begin + late, end + late) for begin, end in spans for late in (_MINUTES * (begin < start),)]
    for begin, end in breaks:
        if not start <= begin < end <= until:
            raise BadCell(f"the break {named['break']!r} lies outside the shift: mend one of the two")
    agents = as_count(named["agents"]) if named.get("agents") else 1.0
    return Shift(day, start, until, named.get("agent", ""), named.get("queue", ""), agents, tuple(breaks))
