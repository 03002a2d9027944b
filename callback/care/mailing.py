"""Which letters leave now, and what becomes of each: claimed before it is sent, so that a death sends it once more.

A letter that is not taken waits longer each time; one that is refused, or waited too long, failed, and people are told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, select, update

from callback.events import LetterFailed
from callback.site.work import Work
from callback.store import restored
from callback.store import tables as t
from scheduler.clock import HOUR, MINUTE

CLAIMED_US: Final = 10 * MINUTE
"""Longer than any conversation with a server: then whoever claimed it is dead, and it is sent again."""
WAITS: Final = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR)
"""After so many tries that came to nothing; after the last one it failed."""
_L = t.care_letter.c
_DUE = (
    select(_L.id, _L.pbx, _L.department, _L.address, _L.subject, _L.body, _L.created_at, _L.tries)
    .where(t.LETTER_WAITING, _L.pbx == bindparam("of_pbx"), _L.next_at <= bindparam("now"))
    .order_by(_L.next_at, _L.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_CLAIM = update(t.care_letter).where(_L.id == bindparam("of_id"))
_CLAIM = _CLAIM.values(tries=bindparam("tried"), next_at=bindparam("again_at"))
_HELD = (t.LETTER_WAITING, _L.id == bindparam("of_id"), _L.tries == bindparam("tried"))
_END = update(t.care_letter).where(*_HELD)
_END = _END.values(state=bindparam("as_state"), reason=bindparam("because"), settled_at=bindparam("at"))
_LATER = update(t.care_letter).where(*_HELD).values(next_at=bindparam("again_at"), reason=bindparam("because"))


@dataclass(frozen=True, slots=True)
class Due:
    """A letter to be sent now, by whoever claimed it; `tries` with this one."""

    id: int
    pbx: str
    department: str
    address: str
    subject: str
    body: str
    created_at: int
    tries: int


def claim(work: Work) -> Due | None:
    """Take the letter that is due for longest; none before it was compared what happened since a restore."""
    if restored.pending(work.connection, work.pbx) is not None:
        return None
    row = work.connection.execute(_DUE, {"of_pbx": work.pbx, "now": work.now}).first()
    if row is None:
        return None
    found = Due(*row[:-1], tries=row.tries + 1)
    facts = {"of_id": found.id, "tried": found.tries, "again_at": work.now + CLAIMED_US}
    work.connection.execute(_CLAIM, facts)
    return found


def sent(work: Work, letter: Due) -> None:
    """It was taken."""
    _end(work, letter, "sent", None)


def failed(work: Work, letter: Due, why: str) -> None:
    """It was refused for good, or nothing can send it: people are told."""
    if _end(work, letter, "failed", why):
        work.tell(LetterFailed(letter.id, letter.department, why))


def later(work: Work, letter: Due, why: str) -> None:
    """It was not taken: it is tried again, or has failed when that was the last try."""
    if letter.tries > len(WAITS):
        failed(work, letter, why)
        return
    again_at = work.now + WAITS[letter.tries - 1]
    facts = {"of_id": letter.id, "tried": letter.tries, "again_at": again_at, "because": why}
    work.connection.execute(_LATER, facts)


def _end(work: Work, letter: Due, state: str, why: str | None) -> bool:
    facts = {"of_id": letter.id, "tried": letter.tries, "as_state": state, "because": why, "at": work.now}
    return work.connection.execute(_END, facts).rowcount == 1
