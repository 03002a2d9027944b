"""The processes of a site, as each says of itself: its role, what it does, and when it was seen last.

Who may write is the leases' affair (`store/lease.py`); this is for people, and decides nothing.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from callback.cluster.roles import Role
from callback.store import tables as t
from callback.store.engine import clock
from scheduler.clock import DAY, SECOND

SEEN_EVERY_S: Final = 5.0
GONE_S: Final = 20
"""A process that was not seen for so long is taken for dead, or cut off from the database."""
KEPT: Final = DAY
_N = t.node.c
_SEEN = update(t.node).where(_N.id == bindparam("of_node"))
_DUTY_ROOM: Final = 200


@dataclass(frozen=True, slots=True)
class Node:
    """One process of the service; times are by the database's clock."""

    id: str
    name: str
    role: Role
    pbx: str
    version: str
    began_at: int
    seen_at: int
    clock_off: int  # µs that the database's clock is ahead of its machine's
    duties: tuple[str, ...]

    def is_gone(self, now: int) -> bool:
        """Whether nobody has seen it for a while; `now` is the database's."""
        return now - self.seen_at > GONE_S * SECOND

    @property
    def clock_off_s(self) -> float:
        """How far the database's clock is ahead of its machine's."""
        return self.clock_off / SECOND


@dataclass(frozen=True, slots=True)
class Who:
    """What a process is, from its start to its end."""

    id: str
    name: str
    role: Role
    pbx: str
    version: str


def name_here(given: str) -> str:
    """What this process is called: as the settings say, else by its host and id."""
    return given or f"{socket.gethostname()}:{os.getpid()}"


def seen(connection: Connection, who: Who, duties: Sequence[str], now: int) -> int:
    """Keep that this process lives and what it does; `now` is its own clock. Who was dead for a day is forgotten.

    Give by how many microseconds the database's clock is ahead of it.
    """
    at = clock(connection)
    facts = {"seen_at": at, "clock_off": at - now, "duties": [duty[:_DUTY_ROOM] for duty in duties]}
    if connection.execute(_SEEN, {"of_node": who.id} | facts).rowcount:
        return at - now
    of_it = {"id": who.id, "name": who.name, "role": who.role, "pbx": who.pbx, "version": who.version}
    connection.execute(insert(t.node), of_it | facts | {"began_at": at})
    connection.execute(delete(t.node).where(_N.seen_at < at - KEPT))
    return at - now


def left(connection: Connection, who: Who) -> None:
    """Forget a process that ends by itself."""
    connection.execute(delete(t.node).where(_N.id == who.id))


def listed(connection: Connection) -> list[Node]:
    """Give all processes of all PBXs that were seen in the last day, the dead ones too."""
    rows = connection.execute(select(t.node).order_by(_N.pbx, _N.role, _N.name, _N.began_at))
    return [Node(**{**row, "role": Role(row["role"]), "duties": tuple(row["duties"])}) for row in rows.mappings()]
