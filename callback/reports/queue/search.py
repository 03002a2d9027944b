"""Finds the reservations of a caller, open and settled, by the whole number or by its last four digits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Select, bindparam, select

from callback.customers import numbers
from callback.customers.persons import TAIL_DIGITS, tail_of
from callback.reports.queue.board import Queue
from callback.reports.queue.lanes import OF_OPEN
from callback.reports.queue.rows import Row
from callback.reports.queue.wanted import Wanted, conditions
from callback.site.work import Work
from callback.store import tables as t

MOST: Final = 50
_Made = Mapping[tuple[str, ...], Select[int]]
_R, _P = t.reservation.c, t.person.c
# Open ones are read through as they are; the others are found by the tail, through the persons who have it.
_OPEN_ENDING: Final[_Made] = {
    asked: select(_R.id)
    .join(t.person)
    .where(t.OPEN, _R.pbx == bindparam("of_pbx"), OF_OPEN, _P.number.like(bindparam("ending")), *conditions(asked))
    .order_by(_R.deadline_at)
    .limit(MOST)
    for asked in ((), ("groups",))
}
_BY_TAIL = select(_P.id).where(_P.tail == bindparam("of_tail"))
_BY_NUMBER = select(_P.id).where(_P.number.in_(bindparam("whole", expanding=True)))
_OF_PERSONS: Final[_Made] = {
    asked: select(_R.id)
    .where(_R.pbx == bindparam("of_pbx"), _R.person_id.in_(bindparam("persons", expanding=True)), *conditions(asked))
    .order_by(_R.open.desc(), _R.state_since_at.desc(), _R.id.desc())
    .limit(MOST)
    for asked in ((), ("groups",))
}
_AT_ONCE: Final = 900
"""Persons who are asked for in one query."""


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found: open reservations first, then the last closed. `more`: there are more than are given."""

    rows: tuple[Row, ...]
    more: bool


NOTHING: Final = Hits((), more=False)


def find(queue: Queue, said: str, groups: frozenset[str] | None) -> Hits:
    """Give the reservations of those whose number this is, or ends so; none where it is neither."""
    work, digits, wanted = queue.work, _digits(said), Wanted(groups=groups)
    if len(digits) == TAIL_DIGITS:
        ids = [*_open_ending(work, digits, wanted), *_of(work, _with_tail(work, digits), wanted)]
    elif is_whole(said):
        persons = work.connection.execute(_BY_NUMBER, {"whole": _readings(work, said)}).scalars()
        ids = _of(work, [*persons], wanted)
    else:
        return NOTHING
    ids = list(dict.fromkeys(ids))
    return Hits(tuple(queue.by_id(ids[:MOST], groups)), more=len(ids) >= MOST)


def is_whole(said: str) -> bool:
    """Whether more than the last digits is searched for: whoever finds somebody by it knows the number then."""
    return len(_digits(said)) > TAIL_DIGITS


def _digits(said: str) -> str:
    return re.sub(r"\D", "", said)


def _readings(work: Work, said: str) -> list[str]:
    """The whole numbers that this may be, as people write it here: by each trunk's own rules."""
    found: set[str] = set()
    for trunk in work.site.trunks.values():
        read = numbers.written(said, trunk)
        found |= {*read.readings, *([read.e164] if read.e164 is not None else [])}
    return sorted(found)


def _open_ending(work: Work, digits: str, wanted: Wanted) -> list[int]:
    asked = {"of_pbx": work.pbx, "ending": f"+%{digits}", **wanted.parameters()}
    return [*work.connection.execute(_OPEN_ENDING[wanted.asked], asked).scalars()]


def _with_tail(work: Work, digits: str) -> list[int]:
    return [*work.connection.execute(_BY_TAIL, {"of_tail": tail_of(work.connection, digits)}).scalars()]


def _of(work: Work, persons: list[int], wanted: Wanted) -> list[int]:
    """The reservations of these persons; they are asked for in portions, for a query holds so many values alone."""
    found: list[int] = []
    for first in range(0, len(persons), _AT_ONCE):
        asked = {"of_pbx": work.pbx, "persons": persons[first : first + _AT_ONCE], **wanted.parameters()}
        found += work.connection.execute(_OF_PERSONS[wanted.asked], asked).scalars()
    return found
