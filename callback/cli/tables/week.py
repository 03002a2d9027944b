"""The week to come for a terminal: a table for each queue, a row for each half hour and a column for each day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from rich.table import Table

from callback.cli.tables import terminal
from callback.reports.week import weeks
from scheduler.staffing.halfhours import A_DAY, span_text
from scheduler.staffing.planning.week import Outlook

KEY: Final = "+2: 2 agents more are needed; -2: 2 are to spare; empty: as needed"
_UNKNOWN: Final = "?"


def tables(outlooks: Iterable[Outlook]) -> Iterator[tuple[str, Table | None, list[str]]]:
    """Give for each queue, and each week of it, its name, a table where anything is lacking or to spare, and a word."""
    for queue, days in weeks(sorted(outlooks, key=lambda one: (one.queue, one.day))):
        yield queue or "(none)", _table(days), list(_words(days))


def _table(days: Sequence[Outlook]) -> Table | None:
    rows = [(span_text(first, last), *cells) for first, last, cells in _rows(days)]
    heads = [f"{one.day:%a %d}" for one in days]
    return terminal.table(["", *heads], rows, figures=heads) if rows else None


def _rows(days: Sequence[Outlook]) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Give the rows in which anything stands; half hours that follow each other and are alike are one."""
    columns = [_cells(one) for one in days]
    numbered = ((number, tuple(column[number] for column in columns)) for number in range(A_DAY))
    for cells, group in groupby(numbered, key=lambda pair: pair[1]):
        numbers = [number for number, _ in group]
        if any(cell not in {"", _UNKNOWN} for cell in cells):
            yield numbers[0], numbers[-1], cells


def _cells(outlook: Outlook) -> list[str]:
    cells = [_UNKNOWN if outlook.too_little else ""] * A_DAY
    for hint in outlook.hints:
        for number in hint.half_hours:
            cells[number] = f"{hint.more:+d}"
    return cells


def _words(days: Sequence[Outlook]) -> Iterator[str]:
    """Say what a table does not: of which days too little is known, and that a whole week is as needed."""
    for why, group in groupby((one for one in days if one.too_little), key=lambda one: one.too_little):
        yield f"{', '.join(f'{one.day:%a %d}' for one in group)}: too little to say: {why}"
    if not any(one.too_little or one.hints for one in days):
        yield "as needed"
