"""What a process shares with others beside the database: by Redis where the settings name one, else nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from callback.cluster.doorbell import SILENT, Doorbell
from callback.cluster.limits import OWN, Limits
from callback.cluster.standing import Standing
from callback.settings.sections import Settings
from callback.store.engine import Store
from callback.store.keys import site_key


@dataclass(frozen=True, slots=True)
class Cluster:
    """The doorbell of one PBX, and the limits of its site."""

    doorbell: Doorbell = SILENT
    limits: Limits = OWN

    def told(self) -> None:
        """Tell the others that something happened and stands in the feed."""
        self.doorbell.ring("feed")

    def decided(self) -> None:
        """Tell them that somebody decided something: for processes in which people and programs write, and no job."""
        self.doorbell.ring("decided", "feed")


ALONE = Cluster()


@contextmanager
def joined(settings: Settings, store: Store, changed: Callable[[str], object] = lambda _: None) -> Iterator[Cluster]:
    """Share what is to be shared while the block lasts; the site's key must be there.

    `changed` is given why Redis is away, and "" when it is back, from a thread. Whatever Redis does, the block begins,
    goes on and ends.
    """
    if not settings.cluster.redis:
        yield ALONE
        return
    from callback.cluster import link, redis_doorbell, redis_limits  # noqa: PLC0415 - dear to import, and rarely needed

    with store.read() as connection:
        place, secret = site_key(connection, "redis place"), site_key(connection, "redis keys")
    prefix = f"lcr:{place.hex()[:16]}"  # of this site: others on the same Redis have another
    by = link.Link(settings.cluster.redis, Standing(settings.cluster.place, changed))
    bell = redis_doorbell.RedisDoorbell(by, f"{prefix}:{settings.pbx.name}")
    try:
        yield Cluster(bell, redis_limits.RedisLimits(by, prefix, secret))
    finally:
        bell.close()
        by.close()
