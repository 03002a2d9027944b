"""Who decided what, when and why: rows in a chain, each holding the hash of the one before, so that tampering shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, RowMapping, bindparam, delete, func, insert, select, true, update

from callback.errors import CallbackError
from callback.logs.masking import masked_text
from callback.store import tables as t
from callback.store.inserting import insert_new

GENESIS = "0" * 64
_AT_ONCE = 1000
CUSTOMER = "customer"  # who decides about their own reservation
_OF_INCIDENTS = ("incident-released", "incident-dropped", "incident-undone")
_NEW = insert(t.audit)
RETAINED: Final = "retained"  # what was old was deleted
SERVICE = "service"  # what holds somebody for people to look at
_A = t.audit.c
_ABOUT = select(t.audit).where(_A.reservation_id.in_(bindparam("reservations", expanding=True))).order_by(_A.id)
_OF_ACTIONS = (
    select(t.audit).where(t.OF_NO_RESERVATION, _A.action.in_(bindparam("actions", expanding=True))).order_by(_A.id)
)


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
    add_all(connection, pbx, by, action, [(reservation, facts)], now)


def add_all(
    connection: Connection, pbx: str, by: By, action: str, facts: Iterable[tuple[int | None, dict[str, Any]]], now: int
) -> None:
    """Add a row for each of these reservations, with its facts, in their order: one act about many.

    The chain is kept for good, so no telephone number that somebody wrote as a reason stands in it.
    """
    insert_new(connection, t.audit_head, {"id": 1, "hash": GENESIS, "rows": 0})
    head = connection.execute(select(t.audit_head).with_for_update()).one()
    rows, previous = list[dict[str, Any]](), head.hash
    about = {"at": now, "pbx": pbx, "who": by.who, "action": action, "why": masked_text(by.why)}
    for reservation, its in facts:
        row = about | {"reservation_id": reservation, "facts": its, "previous": previous}
        previous = hash_of(row)
        rows.append(row | {"hash": previous})
    if rows:
        connection.execute(_NEW, rows)
        connection.execute(update(t.audit_head).values(hash=previous, rows=head.rows + len(rows)))


def last(connection: Connection, action: str, reservations: Collection[int]) -> dict[int, Row[Any]]:
    """Give the last row of that action for each of these reservations that has one."""
    a = t.audit.c
    rows = select(t.audit).where(a.reservation_id.in_(reservations), a.action == action).order_by(a.id)
    return {row.reservation_id: row for row in connection.execute(rows)} if reservations else {}


def about(connection: Connection, reservation: int, incident: int | None) -> list[Row[Any]]:
    """Give what was decided about a reservation, and about the incident that it belongs to, in order."""
    rows = of_reservations(connection, [reservation])
    rows += [] if incident is None else of_incidents(connection, {incident})
    return sorted(rows, key=lambda row: row.id)


def of_reservations(connection: Connection, reservations: Collection[int]) -> list[Row[Any]]:
    """Give what was decided about some reservations, in order."""
    return list(connection.execute(_ABOUT, {"reservations": list(reservations)}))


def of_incidents(connection: Connection, incidents: Collection[int]) -> list[Row[Any]]:
    """Give what was decided about some incidents, in order."""
    rows = connection.execute(_OF_ACTIONS, {"actions": list(_OF_INCIDENTS)})
    return [row for row in rows if row.facts["incident"] in incidents]


def erasure(connection: Connection, person: int) -> Row[Any] | None:
    """Give the decision by which a person was erased, if that is so."""
    rows = connection.execute(_OF_ACTIONS, {"actions": ["erase"]})
    return next((row for row in rows if row.facts["person"] == person), None)


class Head(NamedTuple):
    """How long the chain is and the hash of its last row: kept outside of the database, it proves what was there."""

    rows: int
    hash: str


def head(connection: Connection) -> Head:
    """Give the end of the chain; of an empty one, no rows and the hash that it begins from."""
    row = connection.execute(select(t.audit_head.c.rows, t.audit_head.c.hash)).first()
    return Head(row.rows, row.hash) if row else Head(0, GENESIS)


class Cut(NamedTuple):
    """Where the chain begins: rows before it were deleted for their age, `audit_id` the last of them."""

    audit_id: int
    rows: int
    hash: str

    def __str__(self) -> str:
        return f"{self.rows}:{self.hash}"


UNCUT: Final = Cut(0, 0, GENESIS)


def cut(connection: Connection) -> Cut:
    """Give where the chain begins."""
    row = connection.execute(select(t.audit_cut.c.audit_id, t.audit_cut.c.rows, t.audit_cut.c.hash)).first()
    return Cut(*row) if row else UNCUT


def delete_before(connection: Connection, before: int, until_id: int, most: int, by: By, now: int) -> int:
    """Delete the first rows of the chain, those made before then, up to that one and at most so many; give how many.

    A row of the chain tells where it begins then: whoever deletes its beginning otherwise is found.
    """
    connection.execute(select(t.audit_head).with_for_update())
    newer = select(func.min(_A.id)).where(_A.at >= before).scalar_subquery()
    old = select(_A.id, _A.hash, _A.pbx).where(_A.id <= until_id, _A.id < newer).order_by(_A.id).limit(most)
    gone = connection.execute(old).all()
    if gone:
        begins = Cut(gone[-1].id, cut(connection).rows + len(gone), gone[-1].hash)
        connection.execute(delete(t.audit).where(_A.id <= begins.audit_id))
        connection.execute(delete(t.audit_cut))
        connection.execute(insert(t.audit_cut).values(id=1, at=now, **begins._asdict()))
        add(connection, gone[-1].pbx, by, RETAINED, None, {"audit": str(begins)}, now)
    return len(gone)


def broken_at(connection: Connection, anchors: Iterable[Head] = ()) -> str | None:
    """Say where the chain is broken: a row changed, taken out or put in; None where it is whole.

    Who rewrites the whole chain, or empties it, does not find its earlier heads where they were written down outside.
    """
    kept = dict(anchors)
    end: Head | None = None
    begins = cut(connection)
    previous, rows, told = begins.hash, begins.rows, begins == UNCUT
    if kept.get(0, GENESIS) != GENESIS or kept.get(rows, previous) != previous:
        return "its beginning: it has another hash than the anchor"
    for row in _chain(connection):
        told = told or (row["action"] == RETAINED and row["facts"].get("audit") == str(begins))
        if not is_sound(row, previous):
            return f"row {row['id']}"
        previous, rows = row["hash"], rows + 1
        if kept.get(rows, previous) != previous:
            return f"row {row['id']} or before it: its hash is not that of the anchor {rows}:{kept[rows]}"
        end = Head(row["head_rows"], row["head_hash"])
    if not told:
        return "its beginning: rows are missing, and no later one tells that they were deleted for their age"
    return _end_broken(head(connection) if end is None else end, Head(rows, previous), max(kept, default=0))


def _end_broken(told: Head, found: Head, longest: int) -> str | None:
    """Say whether the chain ends where it should."""
    if told != found:
        return "the end: rows are missing"
    if longest > found.rows:
        return f"the end: {found.rows} rows are left of the {longest} that the anchor tells of"
    return None


def broken_among(connection: Connection, rows: Iterable[Row[Any]]) -> str | None:
    """Say which of these rows was changed, or does not follow the one before it; the whole chain is not read."""
    for one in rows:
        before = select(t.audit.c.hash).where(t.audit.c.id < one.id).order_by(t.audit.c.id.desc()).limit(1)
        if not is_sound(one._mapping, connection.execute(before).scalar_one_or_none() or cut(connection).hash):  # noqa: SLF001
            return f"row {one.id}"
    return None


def _chain(connection: Connection) -> Iterator[RowMapping]:
    """Give the rows in order, each with the head: between two statements a decision may be added on a server."""
    a, end = t.audit, t.audit_head.c
    last = (end.hash.label("head_hash"), end.rows.label("head_rows"))
    chain = select(a, *last).select_from(a.outerjoin(t.audit_head, true())).order_by(a.c.id)
    with connection.execute(chain.execution_options(yield_per=_AT_ONCE)) as rows:
        yield from rows.mappings()


def is_sound(row: Mapping[Any, Any], previous: str) -> bool:
    """Whether a row follows the one with that hash, and is as it was written."""
    told = {column.name: row[column.name] for column in t.audit.c if column.name not in {"id", "hash"}}
    return bool(row["previous"] == previous and row["hash"] == hash_of(told))


def hash_of(row: dict[str, Any]) -> str:
    """Give the hash of a row: over everything in it but its id and the hash itself."""
    plain = json.dumps(row, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()
