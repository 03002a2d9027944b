"""What the API is made of: the store and the settings, and the figures that the console's process keeps anyway."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Protocol, TypeVar

from sqlalchemy import Connection
from starlette.requests import Request

from callback.cluster.doorbell import SILENT, Doorbell
from callback.reports.now.look import Now
from callback.reports.queue.board import Queue
from callback.settings.sections import Settings
from callback.site.context import Sites
from callback.site.templates import TwoWay, never
from callback.site.work import Work
from callback.store.engine import Store
from callback.web.api.bell import Bell
from callback.web.rate_limit import Pace

T = TypeVar("T")
AT_ONCE: Final = 50
EVERY_S: Final = 0.1
"""Of each token so many requests at once, and then one in so long."""


class Figures(Protocol):
    """Reads what is dear to read; of that, what was read a moment ago."""

    def now(self, work: Work, groups: frozenset[str] | None) -> Now:
        """The figures of this moment."""

    def queue(self, work: Work) -> Queue:
        """What is owed at this moment."""


@dataclass(frozen=True)
class Api:
    """The parts that every route uses. `now` gives microseconds UTC."""

    settings: Settings
    store: Store
    figures: Figures
    now: Callable[[], int]
    two_way: TwoWay = never
    pace: Pace = field(default_factory=lambda: Pace(AT_ONCE, EVERY_S))
    doorbell: Doorbell = SILENT

    def look(self, read: Callable[[Work], T]) -> T:
        """Read in one snapshot, under the rules in force."""
        with self.store.read() as connection:
            return read(self._work(connection))

    def act(self, write: Callable[[Work], T]) -> T:
        """Decide in one transaction, once more from its start where others were in the way."""
        return self.store.transact(lambda connection: write(self._work(connection)))

    @cached_property
    def bell(self) -> Bell:
        """Rings when something happened."""
        return Bell(self.store, doorbell=self.doorbell)

    def _work(self, connection: Connection) -> Work:
        now = self.now()
        return Work(connection, self._sites.at(connection, now), now)

    @cached_property
    def _sites(self) -> Sites:
        return Sites(self.settings, self.two_way)


def api_of(request: Request) -> Api:
    """Give the parts behind a request."""
    api: Api = request.app.state.api
    return api
