"""How to speak with customers, as people wrote it down: for agents, before and during a call."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, select

from callback.care.advice import Complainer
from callback.store import tables as t

_N = t.care_note.c
_OF: Final = select(_N.person_id, _N.kind, _N.note, _N.who, _N.at).where(
    _N.person_id.in_(bindparam("persons", expanding=True))
)


@dataclass(frozen=True, slots=True)
class CustomerNote:
    """What a person wrote about how to speak with a customer."""

    kind: Complainer
    note: str
    who: str
    at: int


def read(connection: Connection, persons: Collection[int]) -> dict[int, CustomerNote]:
    """The notes about these customers, by person."""
    rows = connection.execute(_OF, {"persons": list(persons)}) if persons else ()
    return {row.person_id: CustomerNote(row.kind, row.note, row.who, row.at) for row in rows}
