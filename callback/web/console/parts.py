"""What the console is made of: the store and the settings, what pages are rendered with, and who is signed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection
from starlette.requests import Request

from callback.accounts.roles import Viewer
from callback.settings.sections import Settings
from callback.site.context import current
from callback.site.templates import TwoWay, never
from callback.site.work import Work
from callback.store.engine import Store
from callback.web.console.render import Pages

T = TypeVar("T")

Who = Callable[[Request], Viewer | None]
"""Says who asks; None: nobody who is signed in."""


@dataclass(frozen=True)
class Console:
    """The parts that every page uses. `now` gives microseconds UTC."""

    settings: Settings
    store: Store
    pages: Pages
    who: Who
    now: Callable[[], int]
    two_way: TwoWay = never

    def look(self, read: Callable[[Work], T]) -> T:
        """Read in one snapshot, under the rules in force."""
        with self.store.read() as connection:
            return read(self._work(connection))

    def act(self, write: Callable[[Work], T]) -> T:
        """Decide in one transaction, once more from its start where others were in the way."""
        return self.store.transact(lambda connection: write(self._work(connection)))

    def _work(self, connection: Connection) -> Work:
        return Work(connection, current(connection, self.settings, self.two_way), self.now())
