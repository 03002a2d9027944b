"""When today began, on the site's clock."""

from __future__ import annotations

from datetime import datetime, time

from callback.site.context import Site
from scheduler import clock


def midnight(site: Site, now: int) -> int:
    """When the day of `now` began: where a change of clocks skips midnight, at the first moment after it."""
    zone = site.hours.zone
    return clock.first(datetime.combine(clock.local(now, zone).date(), time()), zone)
