"""What care knows of a customer who is erased, or whose time is over: what was said goes, that it happened stays."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import delete, update

from callback.care import cases, states
from callback.care.cases import CASES, Case
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By

_C, _S, _L, _F = t.care_case.c, t.care_step.c, t.care_letter.c, t.contact_flag.c
WHY: Final = "erased"


def forget(work: Work, person: int, by: By) -> list[int]:
    """End what is open about a customer, and erase what was said; give the cases that were open.

    A case that the customer had confirmed is closed, every other is withdrawn. Scores and dates stay, as nobody's.
    """
    wanted = CASES.where(_C.person_id == person).order_by(_C.id)
    theirs = cases.read(work.connection, wanted.with_for_update(of=t.care_case))
    ids = [case.id for case in theirs]
    for case in theirs:
        if case.open:
            _end(work, case, by)
    said(work, ids)
    letters(work, ids)
    _notes_and_flags(work, person)
    return [case.id for case in theirs if case.open]


def said(work: Work, of_cases: Collection[int]) -> None:
    """Erase what these cases say in words: the customer's, what was promised, and what people noted at each step."""
    if of_cases:
        empty = {"words": "", "wish": "", "promised": "", "reference": None}
        work.connection.execute(update(t.care_case).where(_C.id.in_(of_cases)).values(empty))
        work.connection.execute(update(t.care_step).where(_S.case_id.in_(of_cases)).values(note="", reference=None))


def letters(work: Work, of_cases: Collection[int]) -> None:
    """Take back the letters about these cases that have not left, and erase what all of them said."""
    if of_cases:
        theirs = _L.case_id.in_(of_cases)
        waiting = update(t.care_letter).where(theirs, _L.state == "waiting")
        work.connection.execute(waiting.values(state="withdrawn", reason=WHY, settled_at=work.now))
        work.connection.execute(update(t.care_letter).where(theirs).values(subject="", body=""))


def _notes_and_flags(work: Work, person: int) -> None:
    connection, theirs = work.connection, _F.person_id == person
    connection.execute(delete(t.care_note).where(t.care_note.c.person_id == person))
    connection.execute(update(t.contact_flag).where(theirs, _F.state == "waiting").values(state="cancelled"))
    connection.execute(update(t.contact_flag).where(theirs).values(reason="", why_not=""))


def _end(work: Work, case: Case, by: By) -> None:
    """A case of whichever PBX, for a person is one for all of them; nobody calls or asks any more."""
    event: states.Event = "closed" if case.state == "confirmed" else "withdrawn"
    cases.move_locked(work, case, event, by.who, beside={"callback": "", "next_ask_at": None})
