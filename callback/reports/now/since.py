"""When today began, on the site's clock."""

from __future__ import annotations

from callback.site.context import Site
from scheduler.clock import begins, local


def midnight(site: Site, now: int) -> int:
    """When the day of `now` began."""
    zone = site.hours.zone
    return begins(local(now, zone).date(), zone)
