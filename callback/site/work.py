"""One unit of work: a transaction at one site, at one moment."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection

from callback.events import News
from callback.site.context import Site


@dataclass(frozen=True, slots=True)
class Work:
    """What every use case gets: a transaction, the site with its rules in force, and the moment that counts as now."""

    connection: Connection
    site: Site
    now: int  # microseconds UTC
    told: list[News] = field(default_factory=list)

    @property
    def pbx(self) -> str:
        """The name of the site's PBX."""
        return self.site.pbx
