"""Proving the audit's chain bit by bit: where the last reading stopped, the next one goes on.

A reading that has come to the end goes on with what is added, and begins anew once a day: a row that was proved may be
changed afterwards. `callback audit check` reads the whole chain at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select, update

from callback.store import audit
from callback.store import tables as t
from callback.store.audit import GENESIS, is_sound
from callback.store.inserting import insert_new

ANEW_US: Final = 86_400_000_000
"""A reading begins at the first row again so long after the last one began, once it has come to the end."""

_A, _P = t.audit.c, t.audit_proof.c
_NEXT = select(t.audit).where(_A.id > bindparam("after")).order_by(_A.id).limit(bindparam("most"))
_HASH = select(_A.hash).where(_A.id == bindparam("of_row"))
_PROOF = select(t.audit_proof).where(_P.id == 1)
_MOVE = update(t.audit_proof).where(_P.id == 1)
_HEAD = select(t.audit_head.c.hash, t.audit_head.c.rows)


@dataclass(frozen=True, slots=True)
class Proof:
    """How far the chain is proved: so many of its `rows`, of `every` that there are.

    `whole_at` is when a reading came to the end last. `broken` names the row where it is broken.
    """

    rows: int
    every: int
    began_at: int
    read_at: int
    whole_at: int | None
    broken: str | None


def look(connection: Connection) -> Proof | None:
    """Give how far it is proved; None where nothing was read yet."""
    row, end = connection.execute(_PROOF).first(), connection.execute(_HEAD).first()
    if row is None:
        return None
    return Proof(row.rows, end.rows if end else 0, row.began_at, row.read_at, row.whole_at, row.broken)


def proved_until(connection: Connection) -> int:
    """Give the last row up to which the chain was found whole; 0 where it is not, or was not read yet."""
    row = connection.execute(_PROOF).first()
    return 0 if row is None or row.broken else int(row.audit_id)


def go_on(connection: Connection, now: int, most: int) -> Proof:
    """Read at most so many rows more, and keep how far that is. What is broken stays told until a new reading."""
    begins = audit.cut(connection)
    fresh = {**begins._asdict(), "began_at": now, "read_at": now, "broken": None}
    insert_new(connection, t.audit_proof, {"id": 1, "whole_at": None} | fresh)
    row = connection.execute(_PROOF.with_for_update()).one()
    over = (row.whole_at is not None or row.broken) and now - row.began_at >= ANEW_US
    if over or row.audit_id < begins.audit_id:
        connection.execute(_MOVE, fresh)
        row = connection.execute(_PROOF).one()
    if row.broken is None:
        connection.execute(_MOVE, _read_on(connection, row, most, now) | {"read_at": now})
    proof = look(connection)
    assert proof is not None  # noqa: S101 - it was written above
    return proof


def _read_on(connection: Connection, row: Row[Any], most: int, now: int) -> dict[str, object]:
    """Where the reading stands after the next rows; the end is looked up first, for rows may be added meanwhile."""
    end = connection.execute(_HEAD).first()
    end_hash, end_rows = (end.hash, end.rows) if end else (GENESIS, 0)
    after, previous, rows = row.audit_id, row.hash, row.rows
    if (
        after not in {0, audit.cut(connection).audit_id}
        and connection.execute(_HASH, {"of_row": after}).scalar() != previous
    ):
        return {"broken": f"row {after}"}
    found = connection.execute(_NEXT, {"after": after, "most": most}).all()
    for one in found:
        if not is_sound(one._mapping, previous):  # noqa: SLF001 - what SQLAlchemy offers for it
            return {"audit_id": after, "hash": previous, "rows": rows, "broken": f"row {one.id}"}
        after, previous, rows = one.id, one.hash, rows + 1
    stands: dict[str, object] = {"audit_id": after, "hash": previous, "rows": rows}
    if len(found) == most:
        return stands
    if rows < end_rows or (rows == end_rows and previous != end_hash):
        return stands | {"broken": "the end: rows are missing"}
    return stands | {"whole_at": now}
