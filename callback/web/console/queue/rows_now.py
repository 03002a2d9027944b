"""Rows of the queue page as they are now, for an act that the page sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl

from callback.errors import CallbackError
from callback.reports.queue.board import Queue
from callback.web.console.back import page_before
from callback.web.console.queue.asked import read
from callback.web.console.queue.content import row_html
from callback.web.console.visit import Visit

MOST: Final = 50
"""Of more rows than that, the page's own stream tells."""


def of_page(visit: Visit, reservations: Sequence[int]) -> list[str]:
    """Give the rows of these as HTML, with the columns of the page that asked; none where it was another page."""
    path, _, query = page_before(visit.request).partition("?")
    if path != "/queue" or not 0 < len(reservations) <= MOST:
        return []
    try:
        columns = read(parse_qsl(query)).columns
    except CallbackError:
        return []
    rows = visit.look(lambda work: Queue(work).by_id(reservations, visit.viewer.groups))
    return [row_html(visit.console.pages, visit.language, row, columns) for row in rows if row.lane]
