"""Tables as CSV for a spreadsheet: nothing in them is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from starlette.responses import Response

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would reckon with, did it begin with these."""


def as_csv(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Give the rows below a line of names; None stands as an empty cell."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(names)
    table.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def file(text: str, name: str) -> Response:
    """Answer with a file of that name."""
    as_file = f'attachment; filename="{name}"'
    return Response(text, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": as_file})


def _cell(value: object) -> object:
    """Numbers stay numbers, also those below nothing."""
    if isinstance(value, (int, float)):
        return value
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
