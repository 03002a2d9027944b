"""What commands print for people: tables and lines of plain text, in which nothing that others wrote steers anything.

Names, reasons and texts come from callers, agents and PBXs. They are shown letter by letter: no markup in them is read,
and what a terminal would obey instead of showing is replaced. A table cuts nothing: where it does not fit, the columns
that hold sentences are folded between words; in a pipe, where lines may have any length, nothing is folded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console, JustifyMethod
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from callback.printable import as_json, printable, put_json, say

__all__ = ["as_json", "printable", "put", "put_json", "say", "styled", "table"]

_ANY: Final = 1_000_000  # columns: more than any table has


def styled(text: str, style: str) -> Text:
    """Give a cell, or a part of a line, that stands out."""
    return Text(printable(text), style=style)


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str | Text]],
    *,
    sentences: Collection[str] = (),
    figures: Collection[str] = (),
) -> Table:
    """Give a table. The columns named as `sentences` may be folded, no other; those of `figures` stand to the right."""
    made = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for head in heads:
        justify: JustifyMethod = "right" if head in figures else "left"
        made.add_column(Text(head), justify=justify, no_wrap=head not in sentences, overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(printable(cell)) for cell in row))
    return made


def put(*tables: Table) -> None:
    """Print tables as wide as they must be so that nothing in them is cut; in a pipe nothing is folded either."""
    console = Console()
    there_is = console.width
    for one in tables:
        wanted = Measurement.get(console, console.options.update(width=_ANY), one)
        console.width = max(there_is, wanted.minimum) if console.is_terminal else wanted.maximum
        console.print(one)
