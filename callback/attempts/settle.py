"""An attempt goes on and ends; its reservation goes on with it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, bindparam, func, or_, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from callback.attempts import agents, lanes, order, trunks
from callback.attempts.lanes import Flight
from callback.events import AgentConnected, AttemptEnded, CustomerAnswered, CustomerDialled, Returned
from callback.reservations import moves, times
from callback.reservations.reservation import RESERVATIONS, Reservation, read
from callback.site.work import Work
from callback.store import tables as t
from callback.texts import asking, compose
from scheduler import retry
from scheduler.breaker import TELLING
from scheduler.errors import SchedulerError
from scheduler.hours import Hours

# Outcomes that cannot come about without the customer's phone having been rung.
RANG = ("reached", "busy", "no-answer", "declined", "machine", "customer-left")

_A, _R = t.attempt.c, t.reservation.c


def _step(step: str) -> ReturningUpdate[tuple[int, str | None]]:
    """Made once for each step, for these run in each callback. The first time that a step was heard counts."""
    first = {name: func.coalesce(_A[name], bindparam(f"now_{name}", type_=_A[name].type)) for name in (step, "agent")}
    if step == "agent_connected_at":  # Asterisk does not name one who was rung alone
        first["agent"] = func.coalesce(first["agent"], _A.only_agent)
    mine = (_A.id == bindparam("of_attempt"), _A.pbx == bindparam("of_pbx"), _A.in_flight)
    return update(t.attempt).where(*mine).values(first).returning(_A.reservation_id, _A.agent)


_STEPS: Final = {
    "agent_connected_at": (AgentConnected, _step("agent_connected_at")),
    "customer_dialled_at": (CustomerDialled, _step("customer_dialled_at")),
    "customer_answered_at": (CustomerAnswered, _step("customer_answered_at")),
}
_ENDED = ("ended_at", "outcome", "counted", "evidence")
# Made once, for they run at the end of each callback.
_END = (
    update(t.attempt)
    .where(_A.id == bindparam("of_attempt"), _A.in_flight)
    .values(in_flight=False, **{name: bindparam(f"new_{name}", type_=_A[name].type) for name in _ENDED})
)
# Learnt afterwards: no later than this, which flatters no figure
_END_OF_RING = _END.values(customer_dialled_at=func.coalesce(_A.customer_dialled_at, bindparam("rang_by")))
_PERSON = select(_R.person_id).where(_R.id == bindparam("reservation")).scalar_subquery()
_LOCKED = (
    RESERVATIONS.where(_R.person_id == _PERSON, or_(t.OPEN, _R.id == bindparam("reservation")))
    .order_by(_R.id)
    .with_for_update(of=t.reservation)
)


def progress(work: Work, attempt: str, step: str, at: int, agent: str | None = None) -> None:
    """Keep when an attempt took a step (the first time counts); nothing once it has ended."""
    event, taken = _STEPS[step]
    asked = {"of_attempt": attempt, "of_pbx": work.pbx, f"now_{step}": at, "now_agent": agent}
    row = work.connection.execute(taken, asked).first()
    if row is not None:
        work.tell(event(attempt, row.reservation_id, row.agent if step == "agent_connected_at" else agent), at)


def end(work: Work, attempt: str, outcome: str, evidence: list[str], ended_at: int) -> None:
    """Write down how an attempt ended and what follows; an attempt ends once, whoever says so again."""
    flight = lanes.flight(work.connection, work.pbx, attempt)
    if flight is None:
        return
    row = _locked(work.connection, flight.reservation_id)
    in_vain = agents.in_vain(work.connection, row.id) if outcome == retry.NO_AGENT else 0
    ahead = row.slot_at is not None and flight.claimed_at < row.slot_at
    following = retry.after(outcome, row.tries, work.site.rules.retry_policy(), in_vain, chosen_ahead=ahead)
    counted = not isinstance(following, retry.Retry) or following.counts
    ended = {f"new_{name}": value for name, value in zip(_ENDED, (ended_at, outcome, counted, evidence), strict=True)}
    ended |= {"of_attempt": attempt, "rang_by": min(flight.ring_until_at, work.now)}
    if work.connection.execute(_END_OF_RING if outcome in RANG else _END, ended).rowcount != 1:
        return
    state, again_at = _follow(work, row, following, flight) if row.open else (row.state, None)
    work.tell(AttemptEnded(attempt, row.id, outcome, evidence, state, again_at), ended_at)
    if isinstance(following, retry.Settle):
        _settle_others(work, row)
    if outcome == retry.NO_AGENT:
        order.raise_priority(work.connection, row.id, attempt)
    if outcome in TELLING:
        trunks.tell(work, flight.trunk, attempt)
    alone = outcome == retry.NO_AGENT and flight.only_agent is not None
    if (outcome == retry.NO_AGENT and not alone) or (outcome in TELLING and flight.agent_connected_at is not None):
        agents.tell(work, row.queue, flight.trunk, attempt)


def _locked(connection: Connection, reservation: int) -> Reservation:
    """Lock a reservation together with all that its customer's being reached would settle, in the order of their ids.

    Every transaction that locks several of one customer takes that order: one that had the last could else wait for
    another that has the first.
    """
    return next(row for row in read(connection, _LOCKED, {"reservation": reservation}) if row.id == reservation)


def _follow(work: Work, row: Reservation, following: retry.Next, flight: Flight) -> tuple[str, int | None]:
    """Move the reservation on; say its state, and when it may be called again if it may."""
    if isinstance(following, retry.Settle):
        compose.withdraw(work, row.id, "reached by our call")
        asking.after_callback(work, row.id)
        return moves.move_locked(work, row, "reached", {"tries": row.tries + 1}), None
    if isinstance(following, retry.GiveUp):
        compose.withdraw(work, row.id, "given up")
        state = moves.move_locked(work, row, "given-up", {"tries": row.tries + 1})
        compose.give_up(work, row.id, row.tries + 1)
        return state, None
    hours = work.site.hours_of(row.e164, row.trunk)
    again_at = _again_at(following, hours, work.now, flight.ring_until_at, work.site.rules.ring_s)
    waits = times.changed(row, **_waits(row, following, flight.claimed_at, again_at))
    beside = {"tries": row.tries + following.counts, **waits}
    return moves.move_locked(work, row, "tried", beside), waits["not_before_at"]


def _waits(row: Reservation, following: retry.Retry, claimed_at: int, again_at: int) -> dict[str, int | None]:
    """From when on the customer may be tried again: never sooner than an agent's own call, heard meanwhile, lets rest.

    Tried before the time that the customer chose, that time stands; tried then, it is over.
    """
    retry_at = max(again_at, row.retry_at or again_at)
    if not following.counts or row.slot_at is None:
        return {"retry_at": retry_at}
    if claimed_at < row.slot_at:
        return {"retry_at": max(retry_at, row.slot_at)}
    return {"retry_at": retry_at, "slot_at": None}


def _again_at(following: retry.Retry, hours: Hours, now: int, ring_until_at: int, ring_s: int) -> int:
    """When the next try is due; at once where that phone may never ring any more: the deadline leaves it to people."""
    try:
        return retry.due_at(following, hours, now, ring_until_at, ring_s)
    except SchedulerError:
        return now


def _settle_others(work: Work, row: Reservation) -> None:
    """A customer who was reached is owed nothing more in the other queues of the group; a shared number is many."""
    r = t.reservation
    others = work.connection.execute(
        select(r.c.id)
        .join(t.person)
        .where(
            t.person.c.shared.is_(False),
            r.c.person_id == row.person_id,
            r.c.queue_group == row.queue_group,
            t.OPEN,
            t.LOST_ONLY,
            r.c.state.in_(("waiting", "held")),
            r.c.id != row.id,
        )
        .order_by(r.c.id)
    ).scalars()
    for other in others.all():
        moves.move(work, other, "served")
        compose.withdraw(work, other, "reached in another queue")
        work.tell(Returned(other))
