"""A caller who comes back: once he is served, nothing is owed to him any more."""

from __future__ import annotations

from sqlalchemy import BindParameter, Connection, bindparam, or_, select

from callback.customers import numbers
from callback.customers.persons import is_shared
from callback.events import Returned
from callback.reservations import moves
from callback.site.context import Site
from callback.site.work import Work
from callback.store import tables as t
from callback.store.engine import write_now
from callback.texts import compose
from telephony.calls.call import Call

# Made once, because it runs for each call that is served; whoever locks several does so in one order.
_ANSWERED = (
    select(t.reservation, t.person.c.number.label("e164"))
    .join(t.person)
    .where(
        t.reservation.c.person_id == bindparam("person"),
        t.reservation.c.queue_group == bindparam("of_group"),
        or_(t.OPEN, t.reservation.c.state == "given-up"),
        t.reservation.c.last_lost_at <= bindparam("spoken_at"),
        t.person.c.shared.is_(False),
        t.LOST_ONLY,
    )
    .order_by(t.reservation.c.id)
    .with_for_update(of=t.reservation)
)


_C, _V, _A = t.call.c, t.queue_visit.c, t.attempt.c
_SERVED_SINCE = (
    select(_V.queue)
    .join(t.call, (_V.pbx == _C.pbx) & (_V.call_id == _C.call_id))
    .where(_C.person_id == bindparam("person"), _V.connected_at > bindparam("lost_at"))
)
_REACHED_SINCE = (
    select(t.reservation.c.queue)
    .join(t.attempt, _A.reservation_id == t.reservation.c.id)
    .where(_A.person_id == bindparam("person"), _A.outcome == "reached", _A.ended_at > bindparam("lost_at"))
)
_J = t.verdict.c
_KNOWN_BY: BindParameter[int] = bindparam("known_by")
_FIRST_VERDICT = (_J.pbx == _C.pbx) & (_J.call_id == _C.call_id) & (_J.version == 1)
_SERVED_AS_KNOWN = _SERVED_SINCE.join(t.verdict, _FIRST_VERDICT).where(_J.judged_at < _KNOWN_BY)
_REACHED_AS_KNOWN = _REACHED_SINCE.where(_A.ended_at < _KNOWN_BY)


def owed(connection: Connection, site: Site, caller: str, queue: str, channel: str) -> int | None:
    """The reservation by which a callback is owed, in the queue's group, to the caller: who is let through first."""
    number = numbers.read(caller, site.trunks[site.trunk_name(channel)]).e164
    r = t.reservation.c
    his = (
        select(r.id)
        .join(t.person)
        .where(t.OPEN, t.LOST_ONLY, r.pbx == site.pbx, r.queue_group == site.rules.queue(queue).group)
        .where(t.person.c.number == number, t.person.c.shared.is_(False))
    )
    return connection.execute(his.order_by(r.id).limit(1)).scalar() if number is not None else None


def served(work: Work, call: Call, queue: str | None, person: int) -> None:
    """Close every open reservation that a served call answers, in the transaction that files the call.

    It answers those of the same queue group whose last loss came before the agent spoke to him. A shared number (a
    company's switchboard) answers nothing: somebody else may have called. Nor is he told any more that we could not
    reach him.
    """
    spoken_at = max((visit.connected_at for visit in call.visits if visit.connected_at), default=call.started_at)
    group = work.site.rules.queue(queue or "").group
    his = {"person": person, "of_group": group, "spoken_at": spoken_at}
    rows = work.connection.execute(_ANSWERED, his).all()
    for row in rows:
        compose.withdraw(work, row.id, "he got through by himself")
    for row in rows:
        if row.open:
            _answered(work, row.id)


def spoken_to_since(work: Work, person: int, queue: str, lost_at: int, known_by: int | None = None) -> bool:
    """Whether an agent of the queue's group spoke to him after a loss, in a call of his or of ours.

    Then nothing is owed for it any more. A shared number is many people. With `known_by`, what was known before then
    counts alone.
    """
    if is_shared(work.connection, person):
        return False
    write_now(work.connection)  # the visits of calls that are committed together with this one
    his = {"person": person, "lost_at": lost_at}
    asked = (_SERVED_SINCE, _REACHED_SINCE)
    if known_by is not None:
        his, asked = his | {"known_by": known_by}, (_SERVED_AS_KNOWN, _REACHED_AS_KNOWN)
    spoke = {of for spoken in asked for of in work.connection.execute(spoken, his).scalars()}
    return work.site.rules.queue(queue).group in {work.site.rules.queue(name).group for name in spoke}


def _answered(work: Work, reservation: int) -> None:
    moves.move(work, reservation, "served")
    compose.got_through(work, reservation)
    work.tell(Returned(reservation))
