"""Who decided what, when and why: rows in a chain, each holding the hash of the one before, so that tampering shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, or_, select, true, update

from callback.errors import CallbackError
from callback.store import tables as t
from callback.store.inserting import insert_new

GENESIS = "0" * 64
CUSTOMER = "customer"  # who decides about his own reservation
_OF_INCIDENTS = ("incident-released", "incident-dropped")
SERVICE = "service"  # what holds somebody for people to look at


@dataclass(frozen=True, slots=True)
class By:
    """The person who decides, and why: both are said, and neither is longer than its column. CallbackError else."""

    who: str
    why: str

    def __post_init__(self) -> None:
        for key, said, room in (("--by", self.who, t.WHO_ROOM), ("--why", self.why, t.WHY_ROOM)):
            if not said.strip() or len(said) > room:
                raise CallbackError(f"{key} must say something, in at most {room} characters")


def add(
    connection: Connection, pbx: str, by: By, action: str, reservation: int | None, facts: dict[str, Any], now: int
) -> None:
    """Add a row to the chain, in the transaction of what it tells of."""
    insert_new(connection, t.audit_head, {"id": 1, "hash": GENESIS, "rows": 0})
    head = connection.execute(select(t.audit_head).with_for_update()).one()
    row = {
        "at": now,
        "pbx": pbx,
        "who": by.who,
        "action": action,
        "reservation_id": reservation,
        "why": by.why,
        "facts": facts,
        "previous": head.hash,
    }
    chained = row | {"hash": hash_of(row)}
    connection.execute(t.audit.insert().values(**chained))
    connection.execute(update(t.audit_head).values(hash=chained["hash"], rows=head.rows + 1))


def last(connection: Connection, action: str, reservations: Collection[int]) -> dict[int, Row[Any]]:
    """Give the last row of that action for each of these reservations that has one."""
    a = t.audit.c
    rows = select(t.audit).where(a.reservation_id.in_(reservations), a.action == action).order_by(a.id)
    return {row.reservation_id: row for row in connection.execute(rows)} if reservations else {}


def about(connection: Connection, reservation: int, incident: int | None) -> list[Row[Any]]:
    """Give what was decided about a reservation, and about the incident that it belongs to, in order."""
    a = t.audit.c
    its = or_(a.reservation_id == reservation, a.action.in_(_OF_INCIDENTS))
    rows = connection.execute(select(t.audit).where(its).order_by(a.id))
    return [row for row in rows if row.reservation_id == reservation or row.facts["incident"] == incident]


def broken_at(connection: Connection) -> str | None:
    """Say where the chain is broken: a row changed, taken out or put in; None where it is whole."""
    a, head = t.audit, t.audit_head.c
    # The rows and their head in one statement: between two, a decision may be added on a server
    last = (head.hash.label("head_hash"), head.rows.label("head_rows"))
    chain = select(a, *last).select_from(a.outerjoin(t.audit_head, true())).order_by(a.c.id)
    previous, rows = GENESIS, 0
    row: RowMapping | None = None
    for row in connection.execute(chain).mappings():
        told = {column.name: row[column.name] for column in a.c if column.name not in {"id", "hash"}}
        if row["previous"] != previous or row["hash"] != hash_of(told):
            return f"row {row['id']}"
        previous, rows = row["hash"], rows + 1
    if row is None:
        whole = not connection.execute(select(head.rows)).scalar()
    else:
        whole = (row["head_hash"], row["head_rows"]) == (previous, rows)
    return None if whole else "the end: rows are missing"


def hash_of(row: dict[str, Any]) -> str:
    """Give the hash of a row: over everything in it but its id and the hash itself."""
    plain = json.dumps(row, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()
