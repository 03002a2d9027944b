"""One number as programs ask about it: for what it is blocked, and which callbacks it is owed, or was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, select

from callback.accounts.roles import Groups
from callback.customers import blocks, numbers
from callback.site.work import Work
from callback.store import tables as t

MOST: Final = 50
_P, _R = t.person.c, t.reservation.c
_PERSON: Final = select(_P.id, _P.shared).where(_P.number == bindparam("e164"))
_THEIR: Final = (
    select(_R.id)
    .where(_R.person_id == bindparam("person"), _R.pbx == bindparam("of_pbx"))
    .order_by(_R.id.desc())
    .limit(MOST)
)
_THEIR_OF_GROUPS: Final = _THEIR.where(_R.queue_group.in_(bindparam("of_groups", expanding=True)))


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a number; `refused` says why it is not called back, in hyphenated words.

    `known`: its customer called here, or was asked for. `reservations` are the newest of those groups.
    """

    e164: str
    refused: str | None
    known: bool
    shared: bool
    calls_blocked: bool
    texts_blocked: bool
    reservations: tuple[int, ...]


def e164_of(work: Work, said: str) -> str | None:
    """Give the number as somebody wrote it; None where it is none, or may be two people's."""
    return numbers.written(said, work.site.trunks[work.site.dials_over("")]).e164


def look_up(work: Work, said: str, groups: Groups) -> Known | None:
    """Look a number up as somebody wrote it; None where it is none, or may be two people's."""
    read = numbers.written(said, work.site.trunks[work.site.dials_over("")])
    if read.e164 is None:
        return None
    refused = read.reason if isinstance(read, numbers.Refused) else None
    person = work.connection.execute(_PERSON, {"e164": read.e164}).first()
    blocked = blocks.blocked(work.connection, read.e164)
    theirs: list[int] = []
    if person is not None:
        asked = {"person": person.id, "of_pbx": work.pbx}
        wanted = _THEIR if groups is None else _THEIR_OF_GROUPS
        more = {} if groups is None else {"of_groups": sorted(groups)}
        theirs = list(work.connection.execute(wanted, asked | more).scalars())
    shared = person is not None and person.shared
    known = person is not None
    return Known(read.e164, refused, known, shared, blocked.calls, blocked.texts, tuple(theirs))
