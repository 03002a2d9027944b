"""The queue as its page and its live view show it: rows as HTML by lane, figures; both print the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from callback.errors import CallbackError
from callback.events import Event
from callback.reports.queue.board import Page, Queue
from callback.reports.queue.census import Counts
from callback.reports.queue.lanes import LANES, Sort
from callback.reports.queue.rows import Row
from callback.reports.queue.wanted import Wanted
from callback.web.console.live.views import Address, Audience, Factory, Look, Rendered
from callback.web.console.parts import Console
from callback.web.console.queue import cursor
from callback.web.console.queue.asked import Asked, read
from callback.web.console.render import Pages
from callback.web.console.words import Language
from scheduler.clock import SECOND

FIRST: Final = 5
"""Rows of each lane where nothing else is asked for."""
WINDOW: Final = 100
MOST: Final = 500
STEADY: Final = 10 * SECOND
"""So long a row is the same where nothing happens to it, and is rendered once."""


@dataclass(frozen=True, slots=True)
class Content:
    """What there is to see: the pages by lane, how many match, and how many there are without a filter."""

    pages: Mapping[str, Page]
    counts: Counts
    every: int

    @property
    def shown(self) -> int:
        """How many rows there are to see."""
        return sum(len(page.rows) for page in self.pages.values())


def content(queue: Queue, asked: Asked, groups: frozenset[str] | None) -> Content:
    """Read what is asked for, of the groups that the viewer may see."""
    wanted = replace(asked.wanted, groups=groups)
    everybody = queue.counts(replace(Asked().wanted, groups=groups))
    counts = queue.counts(wanted)
    return Content(_pages(queue, asked, wanted, counts.every), counts, everybody.every)


def _pages(queue: Queue, asked: Asked, wanted: Wanted, matching: int) -> Mapping[str, Page]:
    one = asked.lane if asked.sort is Sort.DISPATCHER else asked.sort.value
    if one is not None:
        after = cursor.opened(queue.work, asked.after, one, asked) if asked.after else None
        return {one: queue.page(one, wanted, MOST if asked.all else WINDOW, after)}
    all_ = MOST if matching <= MOST else MOST // len(LANES)
    return queue.first_pages(wanted, all_ if asked.all else WINDOW if asked.is_filtered else FIRST)


class QueueView:
    """The live view of the queue for one audience: the page prints its rows and figures, a frame what changed."""

    def __init__(self, console: Console, audience: Audience, asked: Asked) -> None:
        self._pages, self._keeper, self._audience, self._asked = console.pages, console.keeper, audience, asked

    def concerns(self, event: Event) -> bool:
        """Whether it tells of a reservation, or of something that keeps many from being called."""
        return event.NAME not in _ELSEWHERE

    def render(self, look: Look) -> Rendered:
        """Read and render."""
        return self.of(content(look.once("queue", self._keeper.queue), self._asked, self._audience.groups))

    def of(self, seen: Content) -> Rendered:
        """Render what was read."""
        order = {lane: [row.reservation for row in page.rows] for lane, page in seen.pages.items()}
        language, columns = self._audience.language, self._asked.columns
        rows = {
            row.reservation: row_html(self._pages, language, row, columns)
            for page in seen.pages.values()
            for row in page.rows
        }
        return Rendered(order, rows, figures(seen))


def row_html(pages: Pages, language: Language, row: Row, columns: tuple[str, ...]) -> str:
    """Render one row."""
    return pages.part("queue/row.html", language, row=_steady(row), columns=columns)


def _steady(row: Row) -> Row:
    """The row as it is for some seconds: what is counted by the second is counted in the browser."""
    return replace(row, now=row.now - row.now % STEADY)


def figures(seen: Content) -> dict[str, str]:
    """The figures of the page itself: of each lane, of all that match, and of all that are open."""
    by_lane = {f"lane-{lane}": str(many) for lane, many in seen.counts.by_lane.items()}
    return {**by_lane, "match": str(seen.counts.every), "open": str(seen.every)}


def factory(console: Console) -> Factory:
    """Make the views of the queue: `/stream/queue?lane=binds`."""

    def make(audience: Audience, address: Address) -> QueueView:
        if address.of:
            raise CallbackError("there is no such live page")
        return QueueView(console, audience, read(address.query.items()))

    return make


_ELSEWHERE: Final = frozenset({"started", "stopped", "audit-head", "site-key"})
"""Events that change nothing that the queue shows."""
