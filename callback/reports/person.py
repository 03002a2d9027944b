"""One customer: found by the number, with every reservation and what the number is blocked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from callback.customers import blocks
from callback.errors import CallbackError
from callback.reservations.reservation import RESERVATIONS, Reservation, read
from callback.store import tables as t

LEAST_DIGITS: Final = 3  # of a number, to look for it by its end
_NAMED: Final = 5  # numbers that are named where several end alike


class NoSuchNumber(CallbackError):
    """Nobody, or more than one, is known by what was said; the message says which."""


@dataclass(frozen=True, slots=True)
class Person:
    """A customer, by the number."""

    id: int
    number: str


def find(connection: Connection, e164: str | None, said: str) -> Person:
    """Find the person by the whole number, or by its last digits where only one number ends so."""
    p = t.person.c
    people = select(p.id, p.number)
    if e164 is not None and (row := connection.execute(people.where(p.number == e164)).first()) is not None:
        return Person(*row)
    digits = re.sub(r"\D", "", said).lstrip("0")
    if len(digits) < LEAST_DIGITS:
        raise NoSuchNumber(f"'{said}' is no number, nor the end of one: give at least {LEAST_DIGITS} of its digits")
    ending = people.where(p.number.like(f"+%{digits}")).order_by(p.number).limit(_NAMED + 1)
    found = [Person(*row) for row in connection.execute(ending)]
    if not found:
        raise NoSuchNumber(f"nobody is known whose number ends in {digits}")
    if len(found) > 1:
        more = " and more" if len(found) > _NAMED else ""
        named = ", ".join(one.number for one in found[:_NAMED])
        raise NoSuchNumber(f"several numbers end in {digits}: {named}{more}; say more of its digits")
    return found[0]


def reservations(connection: Connection, pbx: str, person: int) -> list[Reservation]:
    """Every reservation of a customer, open or settled, the newest first."""
    r = t.reservation.c
    mine = RESERVATIONS.where(r.person_id == person, r.pbx == pbx)
    return read(connection, mine.order_by(r.id.desc()))


def blocked(connection: Connection, e164: str) -> str:
    """Say what the number is blocked for; empty: nothing."""
    stands = blocks.blocked(connection, e164)
    return " and ".join(word for word, barred in (("calls", stands.calls), ("texts", stands.texts)) if barred)
