"""A finished call becomes a row; a lost one becomes a reservation with its promise and its text. One transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from callback.customers import blocks, numbers, signalling
from callback.customers.persons import person_of
from callback.events import CallJudged, Merged, NotRecovered, Reserved, TrunkUnclear, Withdrawn
from callback.losses import calls, incidents, join, redials, wangiri
from callback.losses.join import Loss
from callback.reservations import moves, promises, times
from callback.reservations.states import State, is_open
from callback.site.context import Site
from callback.site.work import Work
from callback.store import checkpoints
from callback.store import tables as t
from callback.texts import compose
from scheduler.clock import SECOND
from scheduler.errors import SchedulerError
from scheduler.promise import Promise, late_news, promise
from scheduler.severity import Harm, severity
from telephony.calls.call import Call, Kind, Verdict

AFTER_THE_FACT_S = 60  # learnt so long afterwards, as from a log, he may have been answered meanwhile

_R, _L = t.reservation.c, t.loss.c
# Made once: to build a statement costs several times what it costs to run it, and these run for each call.
_APART = select(t.person.c.shared).where(t.person.c.id == bindparam("person"))
_NEW_RESERVATION = insert(t.reservation).returning(_R.id)
_STANDING = (
    select(t.reservation)
    .where(_R.pbx == bindparam("of_pbx"), _R.queue == bindparam("of_queue"), _R.person_id == bindparam("person"))
    .where(_R.apart == bindparam("is_apart"), t.OPEN)
    .with_for_update()
)
_REFUSED = (
    select(_R.id, _R.losses, _R.last_lost_at)
    .where(_R.pbx == bindparam("of_pbx"), _R.queue == bindparam("of_queue"), _R.person_id == bindparam("person"))
    .where(_R.state == "refused")
    .with_for_update()
)
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
    version = calls.next_version(work, call, verdict)
    if version is None:
        return
    number = numbers.read(call.number, work.site.trunks[work.site.trunk_name(call.channel)])
    there = _there(call, verdict)
    person = person_of(work.connection, number.e164, work.now) if number.e164 and there else None
    calls.file(work, call, queue, verdict, version, person)
    _tell(work, call, queue, verdict)
    _keep_signalling(work, call, verdict, version, person)
    if person is not None and not call.doubtful:
        _redialled(work, person, call)
    if verdict.lost or verdict.kind == "requested":
        if version > 1 and join.counted(work.connection, call):
            return
        lost_at = call.ended_at or call.seen_until
        number, pledge = _pledged(work.site, call, verdict.kind, number, lost_at, work.now)
        _recover(work, Loss(call, queue or "", verdict, number, person, lost_at, work.now, pledge))
        return
    if version > 1 and not call.doubtful:
        _withdraw(work, call)
    if verdict.kind != "served":
        calls.mark(work.connection, call, verdict.reason or verdict.kind)  # people can see whom nobody can judge
    spoken = verdict.kind == "served" or any(visit.connected_at for visit in call.visits)
    if person is not None and spoken:
        compose.tell_number(work, call.call_id, [visit.queue for visit in call.visits if visit.connected_at])
        redials.served(work, call, queue, person)  # an agent spoke to them, however it ended


def _keep_signalling(work: Work, call: Call, verdict: Verdict, version: int, person: int | None) -> None:
    """Keep in which form the trunk signalled the caller, and tell the first whose number that left open."""
    if version > 1 or not call.number or call.confirmed is False or call.doubtful:
        return
    if person is None and verdict.kind != "served":
        calls.keep_unread(work.connection, call)
    trunk = work.site.trunk_name(call.channel)
    came = signalling.letter(call.number, work.site.trunks[trunk])
    before = signalling.keep(work.connection, work.pbx, trunk, came)
    if came == signalling.AMBIGUOUS and came not in before:
        work.tell(TrunkUnclear(trunk))


def _there(call: Call, verdict: Verdict) -> bool:
    """Whether the number is taken for the caller's: else it was written into the stream, or may have been into the log.

    Of a loss it is kept all the same where only the log tells of it, so that people can call; nobody is called unasked.
    """
    lost = verdict.lost or verdict.kind == "requested"
    return call.confirmed is not False and (lost or not call.doubtful)


def _pledged(
    site: Site, call: Call, kind: Kind, number: numbers.Number | numbers.Refused, lost_at: int, now: int
) -> tuple[numbers.Number | numbers.Refused, Promise]:
    """Promise by the hours where he is. Whose phone never may ring while the site is open is refused."""
    terms = site.rules.promise_terms()
    hours = site.hours_of(number.e164, site.trunk_name(call.channel))
    try:
        return number, promise(kind, lost_at, now, hours, terms)
    except SchedulerError:
        if hours is site.hours:
            raise
        refused = numbers.Refused("never-in-hours", number.e164)
        return refused, promise(kind, lost_at, now, site.hours, terms)


def _recover(work: Work, loss: Loss) -> None:
    """Reserve a callback, or keep in hyphenated words why there is none."""
    why_not = _why_not(work, loss)
    if why_not is not None:
        calls.mark(work.connection, loss.call, why_not)
        work.tell(NotRecovered(loss.call.call_id, why_not))
        return
    cause = incidents.cause_of(loss.queue, loss.verdict, work.site.trunk_name(loss.call.channel))
    met = incidents.meet(work, cause, loss.lost_at)
    loss = replace(loss, cause=cause, incident=met.incident, held=met.holds)
    reserve(work, loss)


def reserve(work: Work, loss: Loss) -> Reserved | Merged:
    """Reserve a callback for a loss, or join it to the reservation that he has."""
    standing = _standing(work, loss)
    calls.mark(work.connection, loss.call, "reserved" if standing is None else "merged")
    if standing is None:
        return _reserve(work, loss)
    return join.join(work, loss, standing)


def _why_not(work: Work, loss: Loss) -> str | None:
    """Why nobody is called back for this loss; None where somebody is."""
    why = _unfit(work, loss)
    if why is not None:
        return why
    why = _refusal(work, loss)
    if why is not None and loss.person is not None:
        _refuse(work, loss)
    return why


def _unfit(work: Work, loss: Loss) -> str | None:
    """Why nobody would be called back for such a loss, whoever called."""
    if not loss.queue:
        return "no-queue"
    if loss.call.confirmed is False or loss.call.doubtful:
        return "unconfirmed" if loss.call.confirmed is False else "unproved"
    if loss.verdict.kind == "abandoned" and loss.verdict.waited_s < work.site.rules.short_abandon_s:
        return "short-abandon"
    if late_news(loss.lost_at, loss.learnt_at, loss.pledge, checkpoints.first_start(work.connection, work.pbx)):
        return "late-news"
    at_once = 0 <= loss.learnt_at - loss.lost_at <= AFTER_THE_FACT_S * SECOND  # with a clock that is off, nobody knows
    if not at_once and _answered_since(work, loss):
        return "answered-since"
    return None


def _answered_since(work: Work, loss: Loss) -> bool:
    person = loss.person
    return person is not None and redials.spoken_to_since(work, person, loss.queue, loss.lost_at)


def _refusal(work: Work, loss: Loss) -> str | None:
    """Why this number is not called back; None where it is."""
    if isinstance(loss.number, numbers.Refused):
        return loss.number.reason
    if blocks.blocked(work.connection, loss.number.e164).calls:
        return "number-blocked"
    burst = wangiri.guard(work, loss.call, loss.verdict, loss.number.e164)
    return wangiri.ONE_RING_BURST if burst else None


def _refuse(work: Work, loss: Loss) -> None:
    """List the number as refused, once however often it calls, so that a person may release it."""
    his = {"of_pbx": work.pbx, "of_queue": loss.queue, "person": loss.person}
    standing = work.connection.execute(_REFUSED, his).first()
    if standing is None:
        _insert(work, loss, "refused")
        return
    join.add_loss(work.connection, loss, standing.id)
    values = {"losses": standing.losses + 1, "last_lost_at": max(standing.last_lost_at, loss.lost_at)}
    work.connection.execute(update(t.reservation).where(_R.id == standing.id).values(**values))


def _standing(work: Work, loss: Loss) -> Row[Any] | None:
    """His open reservation in this queue, if there is one: there is one at most."""
    same = {
        "of_pbx": work.pbx,
        "of_queue": loss.queue,
        "person": loss.person,
        "is_apart": _apart(work.connection, loss),
    }
    return work.connection.execute(_STANDING, same).first()


def _apart(connection: Connection, loss: Loss) -> str:
    """What keeps the calls of a shared number (a company's switchboard) apart; empty for a person's own."""
    shared = connection.execute(_APART, {"person": loss.person}).scalar_one()
    return loss.call.call_id if shared else ""


def _reserve(work: Work, loss: Loss) -> Reserved:
    row = _insert(work, loss, "waiting")
    held = incidents.hold(work, loss.incident, row) if loss.held else False
    text = not held and _explain(work, row, loss)
    promised, reason = times.of_promise(loss.pledge), loss.pledge.reason
    reserved = Reserved(row, loss.queue, loss.verdict.kind, **promised, promise=reason, text=text, held=held)
    work.tell(reserved)
    return reserved


def _explain(work: Work, row: int, loss: Loss) -> bool:
    how = replace(calls.loss_of(loss.call, loss.queue, loss.verdict), lost_at=loss.lost_at)
    return compose.explain(work, compose.recipient(work.connection, row), how, loss.pledge)


def _insert(work: Work, loss: Loss, state: State) -> int:
    values = {
        "pbx": work.pbx,
        "queue": loss.queue,
        "queue_group": work.site.rules.queue(loss.queue).group,
        "person_id": loss.person,
        "apart": _apart(work.connection, loss),
        "trunk": work.site.trunk_name(loss.call.channel),
        "kind": loss.verdict.kind,
        "state": state,
        "open": is_open(state),
        "made_at": loss.learnt_at,
        "last_lost_at": loss.lost_at,
        "losses": 1,
        "tries": 0,
        **times.of_new(loss.pledge),
        "state_since_at": loss.learnt_at,
        "severity": severity([Harm(loss.verdict.kind, loss.verdict.waited_s)]),
    }
    inserted = work.connection.execute(_NEW_RESERVATION, values)
    row = int(inserted.scalar_one())
    promises.first(work, row, loss.pledge)
    join.add_loss(work.connection, loss, row)
    return row


def _redialled(work: Work, person: int, call: Call) -> None:
    """Keep when he called again by himself after each loss of this PBX, whether we had called him or not."""
    work.connection.execute(_REDIALLED, {"person": person, "of_pbx": work.pbx, "called_at": call.started_at})


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


def _tell(work: Work, call: Call, queue: str | None, verdict: Verdict) -> None:
    judged = (verdict.kind, verdict.reason, verdict.side, verdict.waited_s, verdict.talked_s)
    work.tell(CallJudged(call.call_id, queue, *judged), call.ended_at or call.started_at)
