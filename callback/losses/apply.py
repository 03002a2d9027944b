"""Do what was decided about a lost call, in its transaction: rows first, then holds, texts and events."""

from __future__ import annotations

from sqlalchemy import Connection, and_, bindparam, func, select, update

from callback.customers.caller import Caller
from callback.customers.loss import Loss
from callback.events import Merged, NotRecovered, Reserved
from callback.losses import calls, incidents, wangiri
from callback.losses.decide import ONE_RING_BURST, Decision, Join, Nothing, Refuse, Reserve
from callback.reservations import moves, new, promises, times
from callback.reservations.new import NewReservation
from callback.site.work import Work
from callback.store import tables as t
from callback.texts import compose
from callback.texts.compose import Recipient
from scheduler.clock import SECOND
from scheduler.severity import Harm, severity

_R = t.reservation.c
# Made once: to build a statement costs several times what it costs to run it, and these run for each call.
_REFUSED = (
    select(_R.id, _R.losses, _R.last_lost_at)
    .where(_R.pbx == bindparam("of_pbx"), _R.queue == bindparam("of_queue"), _R.person_id == bindparam("person"))
    .where(_R.state == "refused")
    .with_for_update()
)
_JOINED = update(t.reservation).where(_R.id == bindparam("of_reservation"))
_JOINED = _JOINED.values({name: bindparam(f"now_{name}") for name in ("losses", "last_lost_at", "severity")})
_REQUESTED = update(t.reservation).where(_R.id == bindparam("of_reservation")).values(kind="requested")
_V, _newest = t.verdict.c, t.verdict.alias().c
_LAST_VERSION = select(func.max(_newest.version)).where(_newest.pbx == _V.pbx, _newest.call_id == _V.call_id)
_SUFFERED = (
    select(_V.kind, _V.waited_us)
    .join(t.loss, and_(t.loss.c.pbx == _V.pbx, t.loss.c.call_id == _V.call_id))
    .where(t.loss.c.reservation_id == bindparam("of_reservation"), _V.version == _LAST_VERSION.scalar_subquery())
)


def apply(work: Work, loss: Loss, caller: Caller, decision: Decision) -> None:
    """Do what was decided, and tell it."""
    match decision:
        case Reserve() | Join():
            give(work, loss, caller, decision)
        case Refuse(why, customer):
            if why == ONE_RING_BURST:
                wangiri.hold_earlier(work, customer.e164)
            _refuse(work, loss, caller, decision)
            _no_callback(work, loss, why)
        case Nothing(why):
            _no_callback(work, loss, why)


def give(work: Work, loss: Loss, caller: Caller, decision: Reserve | Join) -> Reserved | Merged:
    """Give the caller the callback that was decided on, and tell it."""
    incident, cause = decision.incident, decision.cause
    belongs_to = None if incident is None else incidents.count(work, cause, loss.lost_at, incident)
    if isinstance(decision, Join):
        return _join(work, loss, caller, decision, belongs_to)
    return _reserve(work, loss, caller, decision, belongs_to)


def _reserve(work: Work, loss: Loss, caller: Caller, decision: Reserve, incident: int | None) -> Reserved:
    customer, pledge = decision.customer, decision.pledge
    apart = loss.call_id if caller.shared else ""
    wanted = NewReservation(customer.person, apart, caller.trunk, "waiting", decision.severity, pledge)
    row = new.add(work, wanted, loss, decision.cause, incident)
    held = decision.incident is not None and decision.incident.holds and incidents.hold(work, incident, row)
    who = (loss.queue, caller.trunk, customer.person, customer.e164, pledge.deadline_at)
    to = Recipient(row, *who, text_refusal=None, opted_out=caller.texts_blocked)
    text = not held and compose.explain(work, to, loss, pledge)
    promised = (pledge.clock_starts_at, pledge.aim_at, pledge.deadline_at, pledge.reason)
    reserved = Reserved(row, loss.queue, loss.kind, *promised, text=text, held=held)
    calls.mark(work, loss.call_id, "reserved")
    work.tell(reserved)
    return reserved


def _join(work: Work, loss: Loss, caller: Caller, decision: Join, incident: int | None) -> Merged:
    """Nor is the customer kept waiting for a time that a person said: this call is newer than what that person knew."""
    standing, pledge = decision.standing, decision.pledge
    row, customer = standing.reservation, decision.customer
    new.add_loss(work, row, loss, decision.cause, incident)
    if pledge is not standing.kept:
        promises.add(work, row, pledge)
    harm = max(standing.severity, severity_of(work.connection, row))
    no_more = {"put_off_until_at": None} if decision.chosen else times.NO_WAIT  # a chosen time is waited for
    times.change(work.connection, row, **no_more)
    if decision.anew:
        compose.withdraw(work, row, "lost again, and promised anew")
    now = {"now_losses": standing.losses + 1, "now_last_lost_at": max(standing.last_lost_at, loss.lost_at)}
    work.connection.execute(_JOINED, {"of_reservation": row, "now_severity": harm, **now})
    if loss.kind == "requested":  # whatever was first: no incident holds who asked for a callback
        work.connection.execute(_REQUESTED, {"of_reservation": row})
    held = _held(work, loss, decision, incident)
    who = (loss.queue, caller.trunk, customer.person, customer.e164, pledge.deadline_at)
    to = Recipient(row, *who, text_refusal=standing.text_refusal, opted_out=caller.texts_blocked)
    text = decision.again and not held and compose.explain(work, to, loss, pledge)
    merged = Merged(row, loss.queue, text=text, **times.of_promise(pledge), losses=standing.losses + 1)
    calls.mark(work, loss.call_id, "merged")
    work.tell(merged)
    return merged


def _held(work: Work, loss: Loss, decision: Join, incident: int | None) -> bool:
    """Hold whom the loss's incident holds, and let go who asks for a callback; say whether an incident holds them."""
    standing, of = decision.standing, decision.incident
    if of is not None and standing.reservation in of.others:
        return True  # taken in just now
    if of is not None and of.holds and incidents.hold(work, incident, standing.reservation):
        return True
    if standing.incident is not None and loss.kind == "requested":
        moves.move(work, standing.reservation, "resumed")
        return False
    return standing.incident is not None


def _refuse(work: Work, loss: Loss, caller: Caller, decision: Refuse) -> None:
    """List the number as refused, once however often it calls, so that a person may release it."""
    asked = {"of_pbx": work.pbx, "of_queue": loss.queue, "person": decision.customer.person}
    listed = work.connection.execute(_REFUSED, asked).first()
    if listed is None:
        apart, who = loss.call_id if caller.shared else "", decision.customer.person
        wanted = NewReservation(who, apart, caller.trunk, "refused", decision.severity, decision.pledge)
        new.add(work, wanted, loss)
        return
    new.add_loss(work, listed.id, loss)
    values = {"losses": listed.losses + 1, "last_lost_at": max(listed.last_lost_at, loss.lost_at)}
    work.connection.execute(update(t.reservation).where(_R.id == listed.id).values(**values))


def _no_callback(work: Work, loss: Loss, why: str) -> None:
    calls.mark(work, loss.call_id, why)
    work.tell(NotRecovered(loss.call_id, why))


def severity_of(connection: Connection, reservation: int) -> int:
    """How badly the customer was let down in all, by the newest verdict on each call."""
    return severity(harms_of(connection, reservation))


def harms_of(connection: Connection, reservation: int) -> list[Harm]:
    """The losses of a reservation as harms, by the newest verdict on each call."""
    suffered = connection.execute(_SUFFERED, {"of_reservation": reservation})
    return [Harm(row.kind, row.waited_us / SECOND) for row in suffered]
