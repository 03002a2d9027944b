"""One listener per PBX: a row lease with a fencing number, by the database's clock alone."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select, update

from callback.errors import NotOurs, StoreError
from callback.store.engine import clock
from callback.store.inserting import insert_new
from callback.store.tables import lease
from scheduler.clock import SECOND

_FENCE = select(lease.c.fence).where(lease.c.name == bindparam("of_name")).with_for_update(read=True)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to decide, dial and write for a PBX; every write carries `fence`."""

    name: str
    owner: str
    fence: int
    ttl_s: float


def acquire(
    connection: Connection, name: str, owner: str, host: str, ttl_s: float, *, heir: bool = False
) -> Lease | None:
    """Take the lease when it is free, lapsed or our own; None while another process holds it.

    `heir` says that whoever held it on this host is known to be dead: then nobody need wait for it to lapse.
    """
    now = clock(connection)
    fresh = {"name": name, "owner": owner, "host": host, "fence": 0, "until_at": 0}
    insert_new(connection, lease, fresh)
    row = connection.execute(select(lease).where(lease.c.name == name).with_for_update()).one()
    if connection.dialect.name == "sqlite" and row.host != host:
        raise StoreError(
            f"this SQLite database belongs to host '{row.host}', and one file cannot serve two hosts;"
            " move to PostgreSQL ([database] url) or run the service there"
        )
    if row.owner != owner and row.until_at > now and not (heir and row.host == host):
        return None
    fence = row.fence + 1
    connection.execute(
        update(lease)
        .where(lease.c.name == name)
        .values(owner=owner, host=host, fence=fence, until_at=now + int(ttl_s * SECOND))
    )
    return Lease(name, owner, fence, ttl_s)


def renew(connection: Connection, held: Lease) -> None:
    """Hold the lease for another term; NotOurs when it has passed to another process."""
    until = clock(connection) + int(held.ttl_s * SECOND)
    kept = connection.execute(
        update(lease).where(lease.c.name == held.name, lease.c.fence == held.fence).values(until_at=until)
    )
    if kept.rowcount != 1:
        raise NotOurs(f"the lease '{held.name}' was taken by another process; this one stops deciding")


def guard(connection: Connection, held: Lease) -> None:
    """Stand at the head of every write: NotOurs unless the lease still is what it was when the work began."""
    fence = connection.execute(_FENCE, {"of_name": held.name}).scalar_one_or_none()
    if fence != held.fence:
        raise NotOurs(f"the lease '{held.name}' was taken by another process; nothing was written")


def release(connection: Connection, held: Lease) -> None:
    """Give the lease back, so that the next process need not wait for it to lapse."""
    connection.execute(update(lease).where(lease.c.name == held.name, lease.c.fence == held.fence).values(until_at=0))
