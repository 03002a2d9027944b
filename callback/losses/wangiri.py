"""Who must not be called back though his number looks sound: one ring from each of many numbers of one block.

A missed call from a dear number that waits to be called back (Wangiri) comes from whole blocks of numbers at once, and
rings too short for anybody who wants to be served. What the number itself tells is judged in `phone`.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, func, select

from callback.customers.loss import Loss
from callback.events import Held
from callback.losses.decide import ONE_RING_BURST
from callback.reservations import moves
from callback.settings.rules import SiteRules
from callback.site.work import Work
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By
from callback.texts import compose
from scheduler.clock import MINUTE, SECOND

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


def burst(work: Work, loss: Loss, e164: str) -> bool:
    """Whether a caller only rang once, like many others of the same block lately."""
    rules = work.site.rules
    if not one_ring(loss.kind, loss.started_at, loss.lost_at, rules):
        return False
    asked = _block(work, e164) | {"since": since(work.now, rules)}
    numbers: int = work.connection.execute(_NUMBERS, asked).scalar_one()
    return numbers >= rules.one_ring_numbers


def one_ring(kind: str, started_at: int, lost_at: int, rules: SiteRules) -> bool:
    """Whether a caller hung up too soon for anybody who wants to be served."""
    return kind == "abandoned" and lost_at - started_at <= rules.one_ring_s * SECOND


def since(now: int, rules: SiteRules) -> int:
    """From when on such calls count."""
    return now - round(rules.one_ring_min * MINUTE)


def hold_earlier(work: Work, e164: str) -> None:
    """Hold those of a number's block who were reserved before the burst showed, for a person to look at.

    Whoever commits keeps in the audit who was held: see `audited`.
    """
    earlier = work.connection.execute(_EARLIER, _block(work, e164) | {"of_pbx": work.pbx}).scalars().all()
    for reservation in earlier:
        moves.move(work, reservation, "held")
        compose.withdraw(work, reservation, ONE_RING_BURST)
        work.tell(Held(reservation, ONE_RING_BURST))


def _block(work: Work, e164: str) -> dict[str, str | int]:
    """One ring from a number of this block, as the statements ask for it."""
    first, last = (e164[:-BLOCK_DIGITS] + digit * BLOCK_DIGITS for digit in "09")
    return {"first": first, "last": last, "one_ring": round(work.site.rules.one_ring_s * SECOND)}


def audited(work: Work) -> None:
    """Keep in the audit whom the guard held, once all the other work of a transaction is done.

    The end of the audit's chain is one row, which every decision locks after its reservation: who locked it first and
    a reservation afterwards would wait for a person who waits for the row.
    """
    for event in (happened.event for happened in work.told):
        if isinstance(event, Held):
            audit.add(work.connection, work.pbx, GUARD, "held", event.reservation, {"reason": event.why}, work.now)
