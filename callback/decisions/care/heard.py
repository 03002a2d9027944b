"""What an agent heard in a call that was to ask the customer of a case: solved confirms it, as any word that was heard.

The call that was the repair itself confirms nothing, whatever its agent says of it: the customer is asked afterwards.
"""

from __future__ import annotations

from typing import Final

from callback.care import cases, follow_up
from callback.care.cases import NoSuchCase
from callback.reservations.reservation import Reservation
from callback.site.work import Work
from callback.store import tables as t

_CASE: Final = "case/"


def solved(work: Work, row: Reservation, claimed_at: int, who: str) -> int | None:
    """Confirm the case that this callback was to ask about, if it was one; give its number."""
    name = row.apart.removeprefix(_CASE)
    if row.kind != t.FOLLOW_UP or name == row.apart or not name.isdecimal():
        return None
    try:
        case = cases.read_one(work, int(name), lock=True)
    except NoSuchCase:
        return None
    if case.state != "answered" or not case.asks or case.asked_at is None or case.asked_at > claimed_at:
        return None
    follow_up.confirmed(work, case.id, who, "call", at_once=False)
    return case.id


def stands(work: Work, case: int) -> bool:
    """Whether the case stands as that word left it: then people take it back in the case, and nobody here."""
    return cases.read_one(work, case).state in {"confirmed", "closed"}
