"""Who must not be called back though his number looks sound: one ring from each of many numbers of one block.

A missed call from a dear number that waits to be called back (Wangiri) comes from whole blocks of numbers at once, and
rings too short for anybody who wants to be served. What the number itself tells is judged in `phone`.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, func, select

from callback.events import Held
from callback.reservations import moves
from callback.site.work import Work
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By
from callback.texts import compose
from scheduler.clock import SECOND
from telephony.calls.call import Call, Verdict

ONE_RING_BURST: Final = "one-ring-burst"
GUARD: Final = By(audit.SERVICE, "many one-ring calls from its block of numbers")
BLOCK_DIGITS: Final = 3  # a thousand numbers, told apart by their last digits

_c, _r, _l = t.call.c, t.reservation.c, t.loss.c
_IN_BLOCK = t.person.c.number.between(bindparam("first"), bindparam("last"))
_ONE_RING = _c.ended_at - _c.started_at <= bindparam("one_ring")
_NUMBERS = (
    select(func.count(_c.person_id.distinct()))
    .select_from(t.call)
    .join(t.person)
    .where(_IN_BLOCK, _ONE_RING, _c.started_at > bindparam("since"))
)
_EARLIER = (
    select(_r.id)
    .select_from(t.reservation)
    .join(t.person)
    .join(t.loss, _l.reservation_id == _r.id)
    .join(t.call, (_c.pbx == _l.pbx) & (_c.call_id == _l.call_id))
    .where(_IN_BLOCK, _ONE_RING, t.OPEN, _r.state == "waiting", _r.losses == 1, _r.pbx == bindparam("of_pbx"))
    .order_by(_r.id)
    .with_for_update(of=t.reservation)
)


def guard(work: Work, call: Call, verdict: Verdict, e164: str) -> bool:
    """Whether a caller is refused who only rang once, like many others of the same block.

    Those of the block who were reserved before it showed are held, for a person to look at. Whoever
    commits keeps in the audit who was held: see `audited`.
    """
    rules = work.site.rules
    rang = (call.ended_at or call.seen_until) - call.started_at
    if verdict.kind != "abandoned" or rang > rules.one_ring_s * SECOND:
        return False
    block = {
        "first": e164[:-BLOCK_DIGITS] + "0" * BLOCK_DIGITS,
        "last": e164[:-BLOCK_DIGITS] + "9" * BLOCK_DIGITS,
        "one_ring": round(rules.one_ring_s * SECOND),
    }
    since = work.now - round(rules.one_ring_min * 60 * SECOND)
    if work.connection.execute(_NUMBERS, block | {"since": since}).scalar_one() < rules.one_ring_numbers:
        return False
    earlier = work.connection.execute(_EARLIER, block | {"of_pbx": work.pbx}).scalars().all()
    for reservation in earlier:
        moves.move(work, reservation, "held")
        compose.withdraw(work, reservation, ONE_RING_BURST)
        work.tell(Held(reservation, ONE_RING_BURST))
    return True


def audited(work: Work) -> None:
    """Keep in the audit whom the guard held, once all the other work of a transaction is done.

    The end of the audit's chain is one row, which every decision locks after its reservation: who locked it first and
    a reservation afterwards would wait for a person who waits for the row.
    """
    for event in (happened.event for happened in work.told):
        if isinstance(event, Held):
            audit.add(work.connection, work.pbx, GUARD, "held", event.reservation, {"reason": event.why}, work.now)
