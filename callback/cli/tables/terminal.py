"""What commands print for people: tables and lines of plain text, in which nothing that others wrote steers anything.

Names, reasons and texts come from callers, agents and PBXs. They are shown letter by letter: no markup in them is read,
and what a terminal would obey instead of showing is replaced. A table cuts nothing: where it does not fit, its columns
stand closer, those that hold sentences are folded between words, and long names too where that is not enough; in a
pipe, where lines may have any length, nothing is folded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from callback.logs.printable import as_json, printable, put_json, say

__all__ = ["as_json", "is_seen", "printable", "put", "put_json", "say", "styled", "table"]

_ANY: Final = 1_000_000  # columns: more than any table has
_LEAST: Final = 9  # columns that a name keeps


def styled(text: str, style: str) -> Text:
    """Give a cell, or a part of a line, that stands out."""
    return Text(printable(text), style=style)


def is_seen() -> bool:
    """Tell a terminal, before which somebody sits, from a pipe or a file."""
    return Console().is_terminal


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str | Text]],
    *,
    sentences: Collection[str] = (),
    names: Collection[str] = (),
    figures: Collection[str] = (),
) -> Table:
    """Give a table. The columns of `sentences` may be folded, those of `names` down to some letters, no other.

    Those of `figures` stand to the right.
    """
    made = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for head in heads:
        justify: JustifyMethod = "right" if head in figures else "left"
        least = _LEAST if head in names else None
        whole = head not in sentences and head not in names
        made.add_column(Text(head), justify=justify, no_wrap=whole, overflow="fold", min_width=least)
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(printable(cell)) for cell in row))
    return made


def put(*tables: Table) -> None:
    """Print tables as wide as they must be so that nothing in them is cut; in a pipe nothing is folded either."""
    console = Console()
    there_is = console.width
    for one in tables:
        wanted = _measured(console, one)
        if console.is_terminal and wanted.maximum > there_is:
            one.padding = 0  # the box keeps one column between two
            _narrow(one, _measured(console, one).minimum - there_is)
            wanted = _measured(console, one)
        console.width = max(there_is, wanted.minimum) if console.is_terminal else wanted.maximum
        console.print(one)


def _measured(console: Console, one: Table) -> Measurement:
    return Measurement.get(console, console.options.update(width=_ANY), one)


def _narrow(one: Table, missing: int) -> None:
    """Let the columns of names give what is missing, as far as they can."""
    for column in one.columns:
        if column.min_width is not None and missing > 0:
            longest = max((cell_len(str(cell)) for cell in column.cells), default=0)
            column.max_width = max(_LEAST, longest - missing)
