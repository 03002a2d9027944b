"""How to speak with a customer: one note for each, set and taken away by people alone, and erased with the customer.

The note is for agents. No text to a customer and no event shows it; the audit tells that it was set, and to which kind.
"""

from __future__ import annotations

from typing import Final, get_args

from sqlalchemy import bindparam, delete, insert, select

from callback.care.advice import COMPLAINERS, Complainer
from callback.customers.persons import ERASED, lock
from callback.decisions.actions import NoSuchPerson
from callback.errors import CallbackError
from callback.logs.masking import masked_text
from callback.site.telling import tell
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By

_N = t.care_note.c
_ONE: Final = delete(t.care_note).where(_N.person_id == bindparam("of_person"))


class BadNote(CallbackError):
    """The note cannot be kept as it was written; the message says why."""


def put(work: Work, person: int, kind: str, note: str, by: By) -> None:
    """Set the note about a customer; it takes the place of the one that stands. BadNote, NoSuchPerson.

    A number that is written in it is masked: the note is about manners, and is read aloud in offices.
    """
    if kind not in get_args(Complainer):
        raise BadNote(f"'{kind}' is no kind: write one of {', '.join(COMPLAINERS)}")
    said = masked_text(" ".join(note.split()))
    if len(said) > t.WHY_ROOM:
        raise BadNote(f"the note is too long: write at most {t.WHY_ROOM} characters")
    _known(work, person)
    work.connection.execute(_ONE, {"of_person": person})
    row = {"person_id": person, "pbx": work.pbx, "kind": kind, "note": said, "who": by.who, "at": work.now}
    work.connection.execute(insert(t.care_note).values(row))
    tell(work, by, "customer-noted", {"person": person, "kind": kind})


def remove(work: Work, person: int, by: By) -> bool:
    """Take the note about a customer away; False where there is none."""
    lock(work.connection, person)
    if work.connection.execute(_ONE, {"of_person": person}).rowcount == 0:
        return False
    tell(work, by, "customer-note-removed", {"person": person})
    return True


def _known(work: Work, person: int) -> None:
    """Lock the customer: nobody is noted about who is erased meanwhile."""
    lock(work.connection, person)
    p = t.person.c
    number = work.connection.execute(select(p.number).where(p.id == person)).scalar_one_or_none()
    if number is None or number.startswith(ERASED):
        raise NoSuchPerson("the customer is not known here, or was erased: there is nobody to write a note about")
