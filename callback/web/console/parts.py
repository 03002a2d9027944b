"""What the console is made of: the store and the settings, what pages are rendered with, and who is signed in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import Connection
from starlette.requests import Request

from callback.accounts.roles import Viewer
from callback.cluster.doorbell import SILENT, Doorbell
from callback.settings.sections import Settings
from callback.site.context import Sites
from callback.site.templates import TwoWay, never
from callback.site.work import Work
from callback.store.engine import Store
from callback.web.console.health.examination import Examination
from callback.web.console.live.watch import Fallen, nobody
from callback.web.console.now.keeper import Keeper
from callback.web.console.render import Pages
from callback.web.rate_limit import Pace

T = TypeVar("T")

SEARCHES: Final = 60
SEARCH_EVERY_S: Final = 10.0
"""Of each person so many at once, and then one in so long: of a masked number 10,000 tries would tell the rest."""

Who = Callable[[Request], Viewer | None]
"""Says who asks; None: nobody who is signed in."""


def by_cookies(request: Request) -> str:
    """Name the session of a request by all its cookies."""
    return hashlib.sha256(request.headers.get("cookie", "").encode()).hexdigest()


@dataclass(frozen=True)
class Console:
    """The parts that every page uses. `now` gives microseconds UTC.

    A stream ends with the session of the request that began it: `session_of` names it, `fallen` gives what has ended.
    """

    settings: Settings
    store: Store
    pages: Pages
    who: Who
    now: Callable[[], int]
    two_way: TwoWay = never
    file: Path = Path("callback.toml")  # which the settings were read from
    session_of: Callable[[Request], str] = by_cookies
    fallen: Fallen = nobody
    keeper: Keeper = field(default_factory=Keeper)
    examination: Examination = field(default_factory=Examination)
    searches: Pace = field(default_factory=lambda: Pace(SEARCHES, SEARCH_EVERY_S))  # for whole numbers, by person
    doorbell: Doorbell = SILENT

    def look(self, read: Callable[[Work], T]) -> T:
        """Read in one snapshot, under the rules in force."""
        with self.snapshot() as work:
            return read(work)

    @contextmanager
    def snapshot(self) -> Iterator[Work]:
        """One read snapshot while the block lasts, under the rules in force."""
        with self.store.read() as connection:
            yield self._work(connection)

    def act(self, write: Callable[[Work], T]) -> T:
        """Decide in one transaction, once more from its start where others were in the way."""
        return self.store.transact(lambda connection: write(self._work(connection)))

    def _work(self, connection: Connection) -> Work:
        now = self.now()
        return Work(connection, self._sites.at(connection, now), now)

    @cached_property
    def _sites(self) -> Sites:
        return Sites(self.settings, self.two_way)
