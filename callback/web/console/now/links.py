"""Where the rows behind a figure are shown."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from callback.reports.now.figure import Figure, InCases, InList
from callback.reports.queue.wanted import Wanted

_NAMED: Final = {"queues": "queue", "kinds": "kind", "states": "state", "incidents": "incident", "ids": "ids"}


def address(figure: Figure) -> str | None:
    """The address of the page that lists what was counted; None where there is nothing to list, or no one page does."""
    rows = figure.rows
    if isinstance(rows, InCases):
        return f"/cases?{urlencode({'due': rows.due})}"
    if isinstance(rows, InList):
        within = {} if rows.within_min is None else {"within": rows.within_min}
        return f"/now/rows/{rows.name}" + (f"?{urlencode(within)}" if within else "")
    if rows is None or len(rows.lanes) > 1:
        return None
    query = _filters(rows.wanted) | ({"lane": rows.lanes[0]} if rows.lanes else {})
    return f"/queue?{urlencode(query)}" if query else "/queue"


def _filters(wanted: Wanted) -> dict[str, str]:
    """The filters that figures use; of which groups the rows are, the viewer says and not the address."""
    return {
        name: ",".join(str(value) for value in sorted(values))
        for field, name in _NAMED.items()
        if (values := getattr(wanted, field))
    }
