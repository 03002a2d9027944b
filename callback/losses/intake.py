"""A finished call becomes a row; of a lost one it is decided what becomes of it, and that is done. One transaction.

The facts are gathered here, `decide` decides without a database, `apply` does what was decided.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import bindparam, delete, select, update

from callback.customers import blocks, signalling
from callback.customers.caller import Caller
from callback.customers.loss import Doubt, Loss
from callback.customers.persons import person_of
from callback.events import TrunkUnclear, Withdrawn
from callback.losses import calls, decide, incidents, redials, wangiri
from callback.losses.apply import apply
from callback.losses.decide import Known, Standing
from callback.reservations import moves, promises
from callback.reservations.reservation import lock_open
from callback.site.work import Work
from callback.store import tables as t
from callback.texts import compose
from scheduler.clock import SECOND
from telephony.calls.call import Call, Verdict

AFTER_THE_FACT_S = 60  # learnt so long afterwards, as from a log, the caller may have been answered meanwhile

_R, _L = t.reservation.c, t.loss.c
# Made once: to build a statement costs several times what it costs to run it, and these run for each call.
_SHARED = select(t.person.c.shared).where(t.person.c.id == bindparam("person"))
_FIRST_START = select(t.checkpoint.c.first_started_at).where(t.checkpoint.c.pbx == bindparam("of_pbx"))
_BEFORE = select(_FIRST_START.scalar_subquery().label("first_start_at"), _SHARED.scalar_subquery().label("shared"))
_OF_PERSON = select(_R.id).where(_R.person_id == bindparam("person"), _R.pbx == bindparam("of_pbx"))
_REDIALLED = (
    update(t.loss)
    .where(_L.reservation_id.in_(_OF_PERSON), _L.redialled_at.is_(None), _L.lost_at < bindparam("called_at"))
    .values(redialled_at=bindparam("called_at"))
)


def record(work: Work, call: Call, verdict: Verdict) -> None:
    """File a judged call and do what follows from it. A call that is known with as good a verdict changes nothing."""
    if verdict.kind == "callback":
        return  # ours is its attempt's affair, and nobody else's is a customer's call
    queue = call.queue or work.site.rules.queue_of(call.did)
    if queue is None and not call.visits:
        return  # on a number that leads to no queue of ours
    version = calls.new_version(work, call, verdict)
    if version is None:
        return
    lost = verdict.lost or verdict.kind == "requested"
    caller = work.site.caller(call.number, call.channel)
    # Else the number was written into the stream, or may have been into the log. Of a loss it is kept all the same
    # where only the log tells of it, so that people can call; nobody is called unasked.
    if caller.e164 is not None and call.confirmed is not False and (lost or not call.doubtful):
        caller = replace(caller, person=person_of(work.connection, caller.e164, work.now))
    calls.file(work, call, queue, verdict, version, caller.person)
    if version == 1 and call.number and call.confirmed is not False and not call.doubtful:
        trunk = work.site.trunks[caller.trunk]
        if signalling.saw(work.connection, work.pbx, caller.trunk, trunk, call.number):
            work.tell(TrunkUnclear(caller.trunk))
    if caller.person is not None and not call.doubtful:
        _redialled(work, caller.person, call)
    if not lost:
        _not_lost(work, call, queue, verdict, version, caller.person)
    elif version == 1 or not calls.counted(work, call.call_id):
        loss = loss_of(call, queue or "", verdict)
        caller, known = gather(work, loss, caller, asked=verdict.kind == "requested")
        apply(work, loss, caller, decide.decide(loss, caller, known, work.site.rules.short_abandon_s))


def loss_of(call: Call, queue: str, verdict: Verdict) -> Loss:
    """A lost call as the facts by which it is decided."""
    lost_at = call.seen_until if call.ended_at is None else call.ended_at
    doubt: Doubt | None = "unconfirmed" if call.confirmed is False else "unproved" if call.doubtful else None
    how = (verdict.kind, verdict.reason, verdict.side, verdict.waited_s)
    return Loss(call.call_id, queue, *how, call.started_at, lost_at, doubt)


def gather(work: Work, loss: Loss, caller: Caller, *, asked: bool) -> tuple[Caller, Known]:
    """Gather what decides about a loss: of the caller, and what else is known.

    `asked`: the customer was told of a callback, or an agent says that one is owed: no pause holds that up. Nothing is
    asked that could change the decision no more. Only what a callback is owed for is locked: the incident, whom it
    takes in, and then what stands.
    """
    connection, site = work.connection, work.site
    caller, pledge = site.pledge(caller, loss.kind, loss.lost_at, work.now)
    known = Known(work.now, pledge)
    if decide.unfit(loss, site.rules.short_abandon_s) is not None:
        return caller, known
    if not asked and site.pauses and site.paused("register", loss.queue) is not None:
        return caller, replace(known, paused=True)
    before = connection.execute(_BEFORE, {"of_pbx": work.pbx, "person": caller.person}).one()
    caller = replace(caller, shared=bool(before.shared))
    known = replace(known, first_start_at=before.first_start_at or 0)
    at_once = 0 <= work.now - loss.lost_at <= AFTER_THE_FACT_S * SECOND  # with a clock that is off, nobody knows
    late = not at_once and decide.outdated(loss, known) is None
    if late and caller.person is not None:
        since = redials.spoken_to_since(work, caller.person, loss.queue, loss.lost_at)
        known = replace(known, spoken_to_since=since)
    if decide.outdated(loss, known) is not None or caller.refused is not None or (e164 := caller.e164) is None:
        return caller, known
    blocked = blocks.blocked(connection, e164)
    caller = replace(caller, calls_blocked=blocked.calls, texts_blocked=blocked.texts)
    if blocked.calls:
        return caller, known
    if wangiri.burst(work, loss, e164):
        return caller, replace(known, burst=True)
    terms = site.rules.incident_terms()
    cause = incidents.cause_of(loss, caller.trunk)
    incident = incidents.look(work, cause, loss.lost_at, terms) if cause else None
    return caller, replace(known, cause=cause, incident=incident, standing=standing_of(work, loss, caller))


def standing_of(work: Work, loss: Loss, caller: Caller) -> Standing | None:
    """The open reservation of the caller in the loss's queue, locked. On a shared number each call has its own."""
    if caller.person is None:
        return None
    apart = loss.call_id if caller.shared else ""
    one = lock_open(work.connection, work.pbx, loss.queue, caller.person, apart)
    if one is None:
        return None
    kept = promises.in_force(work.connection, one.id)
    lately, times = (one.losses, one.last_lost_at, one.severity), (one.slot_at, one.deadline_at, one.overdue_by_at)
    return Standing(one.id, *lately, *times, one.incident_id, one.text_refusal, kept)


def _redialled(work: Work, person: int, call: Call) -> None:
    """Keep when the customer called again after each loss of this PBX, whether we had called or not."""
    work.connection.execute(_REDIALLED, {"person": person, "of_pbx": work.pbx, "called_at": call.started_at})


def _not_lost(work: Work, call: Call, queue: str | None, verdict: Verdict, version: int, person: int | None) -> None:
    """Take back what a worse verdict had reserved, and close what a talk with an agent answers, however it ended."""
    if version > 1 and not call.doubtful:
        _withdraw(work, call)
    if verdict.kind != "served":
        calls.mark(work, call.call_id, verdict.reason or verdict.kind)  # people can see whom nobody can judge
    served_in = [visit.queue for visit in call.visits if visit.connected_at]
    if person is not None and (verdict.kind == "served" or served_in):
        compose.tell_number(work, call.call_id, served_in)
        redials.served(work, call, queue, person)


def _withdraw(work: Work, call: Call) -> None:
    """A better verdict says that the call was not lost: take back what it alone had reserved, if nobody was dialled."""
    r = t.reservation.c
    row = work.connection.execute(
        select(r.id)
        .join(t.loss, t.loss.c.reservation_id == r.id)
        .where(t.loss.c.pbx == call.pbx, t.loss.c.call_id == call.call_id, r.losses == 1)
        .where(r.state.in_(("waiting", "held")))
        .where(~select(t.attempt).where(t.attempt.c.reservation_id == r.id).exists())
    ).first()
    if row is None:
        return
    moves.move(work, row.id, "withdrawn")
    compose.withdraw(work, row.id, "the call was not lost after all")
    work.connection.execute(delete(t.loss).where(t.loss.c.pbx == call.pbx, t.loss.c.call_id == call.call_id))
    work.tell(Withdrawn(row.id))
