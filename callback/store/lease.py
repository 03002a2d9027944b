"""One listener per PBX: a row lease with a fencing number, by the database's clock alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from callback.errors import CallbackError, NotOurs, StoreError
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


def _nobody(_owner: str) -> bool:
    return False


def acquire(
    connection: Connection,
    name: str,
    owner: str,
    host: str,
    ttl_s: float,
    *,
    dead: Callable[[str], bool] = _nobody,
) -> Lease | None:
    """Take the lease when it is free, lapsed, our own or a dead process's; None while another process holds it.

    `dead` says whether an owner is known to be dead: then nobody need wait for the lease to lapse. The host's name
    proves nothing of that kind, for two machines may have the same one, and one machine another one tomorrow.
    """
    now = clock(connection)
    fresh = {"name": name, "owner": owner, "host": host, "fence": 0, "until_at": 0}
    insert_new(connection, lease, fresh)
    row = connection.execute(select(lease).where(lease.c.name == name).with_for_update()).one()
    inherited = dead(row.owner)
    if is_foreign(connection, row, host) and not inherited:
        raise StoreError(
            f"this SQLite database was served on host '{row.host}', this is '{host}', and one file cannot serve two"
            " hosts. Where no service runs there any more (the host was renamed, the container made anew):"
            " `callback lease take`; else run the service there, or move to PostgreSQL ([database] url)"
        )
    if row.owner != owner and row.until_at > now and not inherited:
        return None
    fence = row.fence + 1
    connection.execute(
        update(lease)
        .where(lease.c.name == name)
        .values(owner=owner, host=host, fence=fence, until_at=now + int(ttl_s * SECOND), taken_at=now)
    )
    return Lease(name, owner, fence, ttl_s)


def is_foreign(connection: Connection, row: Row[Any], host: str) -> bool:
    """Whether a lease was held last on a host with which this one cannot share the database."""
    return connection.dialect.name == "sqlite" and row.host != host


def holder(connection: Connection, name: str) -> Row[Any] | None:
    """Give the row of a lease: who holds it, or held it last; None where nobody ever did."""
    return connection.execute(select(lease).where(lease.c.name == name)).first()


def hand_over(connection: Connection, pbx: str, host: str) -> str:
    """Let this host take the leases of a PBX that another one held last; give that one's name.

    Who still holds one keeps both.
    """
    of_it = lease.c.name.in_([f"pbx:{pbx}", f"text:{pbx}"])
    rows = connection.execute(select(lease).where(of_it).order_by(lease.c.name).with_for_update()).all()
    foreign = [row for row in rows if is_foreign(connection, row, host)]
    if not foreign:
        raise CallbackError("there is nothing to take over: the lease passes by itself when its holder has ended")
    now = clock(connection)
    for row in foreign:
        if row.until_at > now:
            raise CallbackError(
                f"the service on '{row.host}' ({row.owner}) holds the lease for {(row.until_at - now) / SECOND:.0f} s"
                " more: where it still runs, stop it there; where it does not, try again then"
            )
    connection.execute(update(lease).where(of_it).values(host=host))
    return str(foreign[0].host)


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
