"""A loss, and how one more of them joins a reservation that stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select, update

from callback.customers import numbers
from callback.events import Merged
from callback.losses import calls, incidents
from callback.reservations import moves, promises, times
from callback.site.work import Work
from callback.store import tables as t
from callback.store.inserting import insert_new
from callback.texts import compose
from scheduler.clock import SECOND
from scheduler.promise import Promise, by, merge
from scheduler.severity import Harm, severity
from telephony.calls.call import Call, Verdict

QUIET_MERGE_S = 600  # a loss merged sooner than this after the last one sends no second text


@dataclass(frozen=True, slots=True)
class Loss:
    """A lost call with all that decides what becomes of it."""

    call: Call
    queue: str  # for which the caller is called back: the last one visited, else where the DID leads
    verdict: Verdict
    number: numbers.Number | numbers.Refused
    person: int | None
    lost_at: int
    learnt_at: int
    pledge: Promise
    cause: str = ""  # what other losses of one incident have in common with it
    incident: int | None = None
    held: bool = False  # by that incident


def join(work: Work, loss: Loss, standing: Row[Any]) -> Merged:
    """Join a repeated loss to what stands: raised, since the customer is at the phone now, and never promised later.

    Nor is the customer kept waiting for a time that a person said: this call is newer than what that person knew.
    """
    add_loss(work.connection, loss, standing.id)
    kept = promises.in_force(work.connection, standing.id)
    chosen = standing.slot_at is not None and standing.slot_at > loss.learnt_at
    pledge = kept if chosen else _renewed(kept, standing.overdue_by_at, loss)
    anew = pledge is not kept and standing.deadline_at <= loss.learnt_at
    if pledge is not kept:
        promises.add(work, standing.id, pledge)
    values: dict[str, Any] = {
        "losses": standing.losses + 1,
        "last_lost_at": max(standing.last_lost_at, loss.lost_at),
        "severity": max(standing.severity, _severity(work.connection, standing.id)),
    }
    if not chosen:
        times.change(work.connection, standing.id, **times.NO_WAIT)
    if anew:
        compose.withdraw(work, standing.id, "lost again, and promised anew")
    if loss.verdict.kind == "requested":
        values["kind"] = "requested"  # whatever was first: no incident holds who asked for a callback
    work.connection.execute(update(t.reservation).where(t.reservation.c.id == standing.id).values(**values))
    held = _held(work, loss, standing)
    again = anew or loss.lost_at - standing.last_lost_at >= QUIET_MERGE_S * SECOND
    text = again and not held and _explain(work, standing.id, loss, pledge)
    merged = Merged(standing.id, loss.queue, text=text, **times.of_promise(pledge), losses=standing.losses + 1)
    work.tell(merged)
    return merged


def _explain(work: Work, row: int, loss: Loss, pledge: Promise) -> bool:
    how = replace(calls.loss_of(loss.call, loss.queue, loss.verdict), lost_at=loss.lost_at)
    return compose.explain(work, compose.recipient(work.connection, row), how, pledge)


def _renewed(kept: Promise, told_by_at: int | None, loss: Loss) -> Promise:
    """The promise after one more loss: a broken one is made anew, by the time that the customer was told, if any."""
    if kept.deadline_at > loss.learnt_at:
        return merge(kept, loss.pledge)
    return by(loss.pledge, told_by_at) if told_by_at is not None else loss.pledge


def _held(work: Work, loss: Loss, standing: Row[Any]) -> bool:
    """Hold whom the loss's incident holds, and let go who asks for a callback; say whether an incident holds them."""
    if loss.held and incidents.hold(work, loss.incident, standing.id):
        return True
    if standing.incident_id is not None and loss.verdict.kind == "requested":
        moves.move(work, standing.id, "resumed")
        return False
    return standing.incident_id is not None


def _severity(connection: Connection, reservation: int) -> int:
    """How badly the customer was let down in all, by the newest verdict on each call."""
    v, newest = t.verdict, t.verdict.alias()
    last = select(func.max(newest.c.version)).where(newest.c.pbx == v.c.pbx, newest.c.call_id == v.c.call_id)
    his = (
        select(v.c.kind, v.c.waited_us)
        .join(t.loss, and_(t.loss.c.pbx == v.c.pbx, t.loss.c.call_id == v.c.call_id))
        .where(t.loss.c.reservation_id == reservation, v.c.version == last.scalar_subquery())
    )
    return severity([Harm(row.kind, row.waited_us / SECOND) for row in connection.execute(his)])


def counted(connection: Connection, call: Call) -> bool:
    """Whether an earlier verdict on this call has led to a reservation: one loss is one, however often it is judged."""
    known = select(t.loss.c.reservation_id).where(t.loss.c.pbx == call.pbx, t.loss.c.call_id == call.call_id)
    return connection.execute(known).first() is not None


def add_loss(connection: Connection, loss: Loss, reservation: int) -> None:
    """Give a reservation one more loss; one that is known stays where it is."""
    key = {"pbx": loss.call.pbx, "call_id": loss.call.call_id}
    belongs = {"reservation_id": reservation, "cause": loss.cause, "incident_id": loss.incident}
    insert_new(connection, t.loss, {**key, **belongs, "lost_at": loss.lost_at})
