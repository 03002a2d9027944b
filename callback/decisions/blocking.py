"""A number is blocked at once, for it may be a complaint; what is owed to it is cancelled when that cannot be undone.

A call that is being made to it is called off at once, for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import bindparam, select

from callback.customers import blocks
from callback.customers.blocks import Blocked
from callback.decisions import batch as deciding
from callback.decisions import records
from callback.decisions.reasons import NONE_GIVEN
from callback.decisions.records import Batch, Refusal
from callback.events import Decided
from callback.reservations import earlier, moves
from callback.reservations.reservation import Reservation
from callback.site.work import Work
from callback.store import tables as t
from callback.store.audit import By
from callback.store.engine import clock
from callback.texts import compose, withheld

_R = t.reservation.c
_OF_PERSON = select(_R.id).where(_R.person_id == bindparam("person"), _R.pbx == bindparam("of_pbx"))
WHY: Final = "the number was blocked"


def block(
    work: Work, reservation: int, by: By, *, calls: bool, texts: bool, groups: frozenset[str] | None = None
) -> Batch:
    """Block the number of this reservation's customer for calls, texts or both; it can be undone for 15 s.

    What is owed to it on this PBX is held until then. NoReason without one.
    """
    if by.why == NONE_GIVEN:
        raise deciding.NoReason("say why: a block needs a reason")
    began_at = clock(work.connection)
    asked = next(iter(records.seen(work, [reservation], groups)), None)
    if asked is None:
        return Batch(None, "block", (), (Refusal(reservation, "unknown"),))
    ids = work.connection.execute(_OF_PERSON, {"person": asked.person_id, "of_pbx": work.pbx}).scalars()
    rows = records.lock(work, ids, None)
    e164 = rows[reservation].e164
    if not blocks.is_number(e164):
        return Batch(None, "block", (), (Refusal(reservation, "not-possible", sentence="the customer was erased"),))
    wanted = _concerned(work, rows, reservation)
    before, stays = _let_go(work, wanted, calls=calls), list[int]()
    had = blocks.blocked(work.connection, e164)
    for row in wanted:
        compose.withdraw(work, row.id, WHY)
        if calls and row.state == "calling":
            moves.move(work, row.id, "barred")
            stays.append(row.id)
    stands = blocks.block(work.connection, work.pbx, e164, by, work.now, calls=calls, texts=texts)
    until_at = deciding.ends_at(work, began_at)
    facts = {"key": blocks.hashed(work.connection, e164), "calls": had.calls, "texts": had.texts, "at": work.now}
    number = records.begin(work, "block", by, until_at, facts)
    records.keep(work, number, "block", until_at, before)
    held = [one for one, was in before.items() if records.UNTOUCHED not in was]
    deciding.tell(work, by, "cancelled", {one: {"by": "block", "batch": number} for one in stays})
    deciding.tell_pending(work, by, "cancelled", {"by": "block", "batch": number, "until_at": until_at}, held)
    about = {"calls": stands.calls, "texts": stands.texts, "cancelled": stays, "batch": number}
    work.tell(Decided("block", by.who, by.why, about=about))
    return Batch(number, "block", (reservation,), (), until_at, tuple(stays))


def must_stand(work: Work, facts: Mapping[str, Any]) -> bool:
    """Whether nobody has said anything about the number since it was blocked so."""
    at: int = facts["at"]
    return blocks.stands_since(work.connection, facts["key"]) == at


def put_back(work: Work, facts: Mapping[str, Any], by: By) -> None:
    """Let the number be blocked for what it was before."""
    had = Blocked(calls=facts["calls"], texts=facts["texts"])
    blocks.put_back(work.connection, work.pbx, facts["key"], had, by, work.now)
    work.tell(Decided("undone", by.who, by.why, about={"calls": had.calls, "texts": had.texts}))


def _concerned(work: Work, rows: Mapping[int, Reservation], asked: int) -> list[Reservation]:
    """Those that are open, or that a text is still to be sent about; and the one that was asked about."""
    texts = withheld.standing(work.connection, rows)
    waits = {one for one, theirs in texts.items() if any(text.state == "waiting" for text in theirs)}
    return [row for row in rows.values() if row.open or row.id in waits or row.id == asked]


def _let_go(work: Work, rows: list[Reservation], *, calls: bool) -> dict[int, dict[str, Any]]:
    """Hold what is owed, but what somebody is about to close anyway; give how all of it was."""
    before = earlier.of(work.connection, rows, told=True)
    pending = records.pending(work.connection, before)
    for row in rows:
        if calls and row.id not in pending and row.state in {"waiting", "held"}:
            deciding.hold(work, row)
        else:
            before[row.id][records.UNTOUCHED] = True
    return before
