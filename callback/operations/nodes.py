"""The processes of this database: which there are, what each does, and who holds which lease since when."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from callback.cluster import nodes
from callback.cluster.nodes import Node
from callback.site.work import Work
from callback.store import tables as t
from callback.store.engine import clock

_L = t.lease.c


@dataclass(frozen=True, slots=True)
class Held:
    """A lease of this database; `since_at` is None where a service of an earlier version took it."""

    name: str
    owner: str
    since_at: int | None
    until_at: int
    fence: int
    holds: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """A process, and whether nobody has seen it for a while: then it died, or is cut off."""

    node: Node
    gone: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """All of them, of every PBX of the database; `now` and all times are by its clock."""

    now: int
    nodes: list[Seen]
    leases: list[Held]


def look(work: Work) -> Overview:
    """Look at them."""
    now = clock(work.connection)
    leases = [
        Held(row.name, row.owner, row.taken_at, row.until_at, row.fence, row.until_at > now)
        for row in work.connection.execute(select(t.lease).order_by(_L.name))
    ]
    return Overview(now, [Seen(one, one.is_gone(now)) for one in nodes.listed(work.connection)], leases)
