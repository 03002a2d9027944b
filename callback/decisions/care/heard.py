"""What an agent says of a call that was made for a case, a flag or a sample, and what each of these makes of it.

Solved confirms a case that the call was to ask about, as any word that was heard; the call that was the repair itself
confirms nothing, whatever its agent says of it: the customer is asked afterwards. Whoever was not spoken to, or asked
for another time, was neither repaired nor asked: all goes on with the callback that follows, or with people.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from callback.campaigns import asking
from callback.care import callbacks, cases, flags, follow_up
from callback.care.callbacks import Purpose
from callback.care.cases import Case, NoSuchCase
from callback.reservations.reservation import Reservation
from callback.site.work import Work
from callback.store import tables as t

_CASE: Final = "case/"


def solved(work: Work, row: Reservation, claimed_at: int, who: str) -> int | None:
    """Confirm the case that this callback was to ask about, if it was one; give its number."""
    case = _case_of(work, row)
    if case is None or case.state != "answered" or not _was_to_ask(case, claimed_at):
        return None
    follow_up.confirmed(work, case.id, who, "call", at_once=False)
    return case.id


def stands(work: Work, case: int) -> bool:
    """Whether the case stands as that word left it: then people take it back in the case, and nobody here."""
    return cases.read_one(work, case).state in {"confirmed", "closed"}


def not_spoken(work: Work, row: Reservation, claimed_at: int, said: str, goes_on: int | None) -> dict[str, Any] | None:
    """Let what this callback was for be as before the call, and go on with callback `goes_on`; give what undoes it.

    None: it was for nothing of that kind. A case that ended calls its customer no more: whoever tends cases takes the
    callback back.
    """
    if row.kind != t.FOLLOW_UP:
        return None
    following = row.id if goes_on is None else goes_on
    flags.follow(work, row, following)
    asking.follow(work, row, following)
    case = _case_of(work, row)
    if case is None or case.reservation_id != row.id:
        return {}
    purpose: Purpose = case.callback or ("confirm" if _was_to_ask(case, claimed_at) else "repair")
    if said == "wrong-person":
        purpose = "repair"  # nobody there is asked by itself: people look at the case first
    if case.state == "answered" and purpose == "repair":
        follow_up.not_repaired(work, case, said, claimed_at)
    callbacks.follow(work, case, following, purpose)
    return {"case": case.id, "purpose": purpose}


def spoken_after_all(work: Work, row: Reservation, made: Mapping[str, Any]) -> None:
    """Undo `not_spoken`: how the callback came out is seen once more."""
    flags.follow(work, row, row.id)
    asking.follow(work, row, row.id)
    if "case" in made:
        callbacks.follow(work, cases.read_one(work, made["case"], lock=True), row.id, made["purpose"])


def _case_of(work: Work, row: Reservation) -> Case | None:
    """The case that a callback is for, locked."""
    name = row.apart.removeprefix(_CASE)
    if row.kind != t.FOLLOW_UP or name == row.apart or not name.isdecimal():
        return None
    try:
        return cases.read_one(work, int(name), lock=True)
    except NoSuchCase:
        return None


def _was_to_ask(case: Case, claimed_at: int) -> bool:
    """Whether a call that began then was to ask whether the case is solved."""
    return bool(case.asks) and case.asked_at is not None and case.asked_at <= claimed_at
