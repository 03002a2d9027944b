"""What an agent says of a call that was made for a case, a flag or a sample.

Solved confirms a case that the call was to ask about, as any word that was heard; the call that was the repair itself
confirms nothing, whatever its agent says of it: the customer is asked afterwards. Where another callback follows, all
three look after that one.
"""

from __future__ import annotations

from callback.campaigns import asking
from callback.care import callbacks, cases, flags, follow_up
from callback.reservations.reservation import Reservation, read_one
from callback.site.work import Work


def solved(work: Work, row: Reservation, claimed_at: int, who: str) -> int | None:
    """Confirm the case that this callback was to ask about, if it was one; give its number."""
    case = callbacks.case_of(work, row)
    if case is None or case.state != "answered" or not case.asks or case.asked_at is None or case.asked_at > claimed_at:
        return None
    follow_up.confirmed(work, case.id, who, "call", at_once=False)
    return case.id


def stands(work: Work, case: int) -> bool:
    """Whether the case stands as that word left it: then people take it back in the case, and nobody here."""
    return cases.read_one(work, case).state in {"confirmed", "closed"}


def moved_on(work: Work, row: Reservation, since_at: int) -> bool:
    """Whether the case of this callback has another state since then: by the customer, or by people."""
    case = callbacks.case_of(work, row)
    return case is not None and case.open and case.state_since_at > since_at


def wrong_person(work: Work, row: Reservation) -> None:
    """Whatever waits to ask the customer of the case is taken back: somebody else would be asked."""
    case = callbacks.case_of(work, row)
    if case is not None:
        follow_up.ask_no_more(work, case, "another person answered there")


def goes_on(work: Work, row: Reservation, successor: int) -> None:
    """What this callback was for goes on with another one."""
    callbacks.follow(work, row, successor)
    flags.follow(work, row, successor)
    asking.follow(work, row, successor)


def went_no_further(work: Work, row: Reservation, successor: int | None) -> None:
    """Another word takes the other callback back: all look after the first one again, which has ended."""
    other = None if successor is None else read_one(work.connection, successor)
    if other is not None and not other.open:
        goes_on(work, other, row.id)
