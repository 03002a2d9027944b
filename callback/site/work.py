"""One unit of work: a transaction at one site, at one moment, and what happened in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection

from callback.events import Event, Happened
from callback.site.context import Site
from callback.store import feed
from callback.store.engine import L, Store, late


@dataclass(frozen=True, slots=True)
class Work:
    """What every use case gets: a transaction, the site with its rules in force, and the moment that counts as now."""

    connection: Connection
    site: Site
    now: int  # microseconds UTC
    told: list[Happened] = field(default_factory=list)

    @property
    def pbx(self) -> str:
        """The name of the site's PBX."""
        return self.site.pbx

    def tell(self, event: Event, at: int | None = None) -> None:
        """Keep in the feed, in this transaction, that something happened: now, or at `at`."""
        self.told.append(feed.append(self.connection, self.pbx, event, self.now if at is None else at, self.now))

    def late(self, kind: type[L]) -> L:
        """What waits in this transaction, of that kind, until it is committed (`store/engine.late`)."""
        return late(self.connection, kind)


def transact(
    store: Store, site: Callable[[Connection], Site], now: int, do: Callable[[Work], object]
) -> list[Happened]:
    """Do one unit of work, once more from its start where other transactions were in the way; give what happened."""

    def done(connection: Connection) -> list[Happened]:
        work = Work(connection, site(connection), now)
        do(work)
        return work.told

    return store.transact(done)
