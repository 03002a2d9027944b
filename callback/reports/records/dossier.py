"""All that is kept about one person, row by row as it stands in the database: what the law lets a customer ask for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, select

from callback.customers import blocks
from callback.site.work import Work
from callback.store import tables as t
from callback.texts import compose
from sms.outbox import text_outbox

_T = text_outbox.c
PIECE: Final = 500
"""Keys that are asked for in one query."""
_TOLD_APART: Final = frozenset({"person", "block", "unread_number", "happened"})
"""The feed tells again what other rows tell, for a while and without numbers; whose a number that could not be read is,
nobody knows."""
_HIDDEN: Final = frozenset({"number_key", "tail", "previous", "hash", "fence", "lease_until"})
"""How rows are found and chained: nothing about the person."""


def of(work: Work, person: int) -> dict[str, list[dict[str, Any]]]:
    """Give the rows about a person, by table: calls, reservations, promises, tries, texts, answers, decisions, blocks.

    Cases with their steps and letters, questions and scores, notes, flags and campaigns are among them. A table knows
    people by the person, by a case or a reservation of the person, or by one of the calls.
    """
    connection, r, c = work.connection, t.reservation.c, t.call.c
    one = connection.execute(select(t.person).where(t.person.c.id == person)).mappings().one()
    reservations = list(connection.scalars(select(r.id).where(r.person_id == person)))
    calls = [
        (row.pbx, row.call_id) for row in connection.execute(select(c.pbx, c.call_id).where(c.person_id == person))
    ]
    found = {"person": [_plain(one)], "block": [_plain(row) for row in _blocks(connection, one["number"])]}
    cases = list(connection.scalars(select(t.care_case.c.id).where(t.care_case.c.person_id == person)))
    known = _Known(person, cases, reservations, calls)
    for table in t.metadata.sorted_tables:
        if table.name not in _TOLD_APART:
            found[table.name] = [_plain(row) for row in _about(connection, table, known)]
    found["text_outbox"] = [_plain(row) for row in _texts(connection, person, reservations)]
    return {name: rows for name, rows in found.items() if rows}


@dataclass(frozen=True, slots=True)
class _Known:
    """By what rows may know one person."""

    person: int
    cases: Sequence[int]
    reservations: Sequence[int]
    calls: Sequence[tuple[str, str]]


def _texts(connection: Connection, person: int, reservations: Sequence[int]) -> Iterator[RowMapping]:
    """Texts about reservations, and those that name the person alone: about cases, and of campaigns."""
    words = [compose.recipient_word(reservation) for reservation in reservations]
    seen = set[int]()
    for column, keys in ((_T.recipient, words), (_T.person, [compose.person_word(person)])):
        for row in _among(connection, text_outbox, column, keys):
            if row["id"] not in seen:
                seen.add(row["id"])
                yield row


def _about(connection: Connection, table: Table, known: _Known) -> Iterator[RowMapping]:
    """The rows of a table by the one column that leads to the person."""
    columns = table.c
    if "person_id" in columns:
        yield from connection.execute(select(table).where(columns.person_id == known.person)).mappings()
    elif "case_id" in columns:
        yield from _among(connection, table, columns.case_id, known.cases)
    elif "reservation_id" in columns:
        yield from _among(connection, table, columns.reservation_id, known.reservations)
    elif {"pbx", "call_id"} <= set(columns.keys()):
        for pbx in sorted({pbx for pbx, _ in known.calls}):
            ids = [call_id for of, call_id in known.calls if of == pbx]
            yield from _among(connection, table, columns.call_id, ids, columns.pbx == pbx)


def _among(
    connection: Connection,
    table: Table,
    column: ColumnElement[Any],
    keys: Sequence[int] | Sequence[str],
    *conditions: ColumnElement[bool],
) -> Iterator[RowMapping]:
    for begins in range(0, len(keys), PIECE):
        some = list(keys[begins : begins + PIECE])
        yield from connection.execute(select(table).where(column.in_(some), *conditions)).mappings()


def _blocks(connection: Connection, number: str) -> Sequence[RowMapping]:
    key = blocks.hashed(connection, number) if blocks.is_number(number) else ""
    return connection.execute(select(t.block).where(t.block.c.number_key == key)).mappings().all()


def _plain(row: RowMapping) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _HIDDEN}
