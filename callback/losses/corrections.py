"""What follows when a person corrects a verdict: as for a better verdict of the service, and by the same rules.

A call is owed at most once, however often it is judged: one whose loss was dealt with makes no other reservation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import bindparam, delete, func, select, update

from callback.customers.loss import Loss
from callback.errors import IllegalTransition
from callback.events import Merged, Withdrawn
from callback.losses import apply, calls, release
from callback.losses.calls import Said, Version
from callback.reservations import moves, promises, times
from callback.reservations.reservation import Reservation, read_one
from callback.site.work import Work
from callback.store import tables as t
from callback.texts import compose
from scheduler.clock import SECOND
from scheduler.errors import SchedulerError
from scheduler.promise import merge, promise

Follows = Literal["nothing", "withdrawn", "less", "changed", "reserved", "joined", "no-callback"]
"""What became of the reservation: nothing; it was withdrawn; it lost one of its losses; its kind, severity or promise
changed; one was made, or one that stands was joined; or the call was lost, and nobody can be called back for it."""

NOT_LOST: Final = "not-lost"
NO_CALLBACK: Final = "no-callback"

_R, _L, _C, _V = t.reservation.c, t.loss.c, t.call.c, t.verdict.c
# Made once: to build a statement costs several times what it costs to run it.
_COUNTED = select(_L.reservation_id).where(_L.pbx == bindparam("of_pbx"), _L.call_id == bindparam("of_call"))
_NO_LOSS = delete(t.loss).where(_L.pbx == bindparam("of_pbx"), _L.call_id == bindparam("of_call"))
_newer = t.verdict.alias().c
_LAST_VERSION = select(func.max(_newer.version)).where(_newer.pbx == _V.pbx, _newer.call_id == _V.call_id)
_KINDS = (
    select(_V.kind, _L.lost_at)
    .join(t.loss, (_L.pbx == _V.pbx) & (_L.call_id == _V.call_id))
    .where(_L.reservation_id == bindparam("reservation"), _V.version == _LAST_VERSION.scalar_subquery())
    .order_by(_L.lost_at)
)
_CHANGED = update(t.reservation).where(_R.id == bindparam("of_reservation"))
_CHANGED = _CHANGED.values({name: bindparam(f"now_{name}") for name in ("kind", "severity", "losses", "last_lost_at")})
_CALL = select(_C.queue, _C.started_at, _C.ended_at).where(
    _C.pbx == bindparam("of_pbx"), _C.call_id == bindparam("of_call")
)


@dataclass(frozen=True, slots=True)
class Consequence:
    """What follows, for which reservation; `why` says in a sentence why nobody is called back, where that is so."""

    follows: Follows
    reservation: int | None
    why: str = ""


def correct(work: Work, call_id: str, was: Version, said: Said) -> Consequence:
    """Keep what a person says of a call that `calls.newest` has locked, and do what follows from it.

    IllegalTransition while its customer is being called.
    """
    row = _counted_in(work, call_id)
    harm = apply.severity_of(work.connection, row.id) if row is not None and row.open else 0
    now = calls.correct(work, call_id, was, said)
    if row is None or row.state in {"withdrawn", "refused"}:
        if not now.lost or was.lost:
            return Consequence("nothing", None if row is None else row.id)
        return _after_all(work, call_id)
    if not row.open:
        return Consequence("nothing", row.id)
    if not now.lost:
        return _withdrawn(work, row, call_id) if row.losses == 1 else _less(work, row, call_id, harm)
    return _changed(work, row, call_id, now, harm)


def _counted_in(work: Work, call_id: str) -> Reservation | None:
    """The reservation that counts the call among its losses, locked."""
    found = work.connection.execute(_COUNTED, {"of_pbx": work.pbx, "of_call": call_id}).scalar()
    row = None if found is None else read_one(work.connection, found, lock=True)
    if row is not None and row.state == "calling":
        raise IllegalTransition(f"reservation {row.id} is being called: correct the verdict when that call has ended")
    return row


def _after_all(work: Work, call_id: str) -> Consequence:
    try:
        made = release.after_all(work, call_id)
    except release.NotReleased as error:
        calls.mark(work, call_id, NO_CALLBACK)
        return Consequence("no-callback", None, str(error))
    return Consequence("joined" if isinstance(made, Merged) else "reserved", made.reservation)


def _withdrawn(work: Work, row: Reservation, call_id: str) -> Consequence:
    """The loss stays beside it: it says why the reservation was made."""
    moves.move(work, row.id, "withdrawn")
    compose.withdraw(work, row.id, "a person says that the call was not lost")
    calls.mark(work, call_id, NOT_LOST)
    work.tell(Withdrawn(row.id))
    return Consequence("withdrawn", row.id)


def _less(work: Work, row: Reservation, call_id: str, harm: int) -> Consequence:
    """The others are owed still; what was promised stays."""
    work.connection.execute(_NO_LOSS, {"of_pbx": work.pbx, "of_call": call_id})
    calls.mark(work, call_id, NOT_LOST)
    _rewrite(work, row, row.losses - 1, harm)
    return Consequence("less", row.id)


def _changed(work: Work, row: Reservation, call_id: str, now: Version, harm: int) -> Consequence:
    _rewrite(work, row, row.losses, harm)
    if row.incident_id is not None and now.kind == "requested":  # no incident holds who asked for a callback
        moves.move(work, row.id, "resumed")
    sooner = _sooner(work, row, now.kind)
    _write_anew(work, row, call_id, now, sooner=sooner)
    return Consequence("changed", row.id)


def _rewrite(work: Work, row: Reservation, losses: int, harm: int) -> None:
    """Kind and severity by the losses that there are now; a person's "call now", or what tries added, stays."""
    kinds = work.connection.execute(_KINDS, {"reservation": row.id}).all()
    asked = any(one.kind == "requested" for one in kinds)
    kind = "requested" if asked else kinds[0].kind if kinds else row.kind
    now = apply.severity_of(work.connection, row.id)
    severity = now if row.severity == harm else max(row.severity, now)
    last = max((one.lost_at for one in kinds), default=row.last_lost_at)
    values = {"now_kind": kind, "now_severity": severity, "now_losses": losses, "now_last_lost_at": last}
    work.connection.execute(_CHANGED, {"of_reservation": row.id, **values})


def _sooner(work: Work, row: Reservation, kind: str) -> bool:
    """Promise what this kind asks for, from now on, where that is sooner: nobody waits longer for a correction.

    A time to come that the customer chose stands; so does a promise that is broken.
    """
    standing = promises.in_force(work.connection, row.id)
    if (row.slot_at is not None and row.slot_at > work.now) or standing.deadline_at <= work.now:
        return False
    hours = work.site.hours_of(row.e164, row.trunk)
    try:
        pledge = merge(standing, promise(kind, work.now, work.now, hours, work.site.rules.promise_terms()))
    except SchedulerError:  # by the rules of today no phone may ever ring
        return False
    if pledge is standing:
        return False
    promises.add(work, row.id, pledge)
    times.change(work.connection, row.id)
    return True


def _write_anew(work: Work, row: Reservation, call_id: str, now: Version, *, sooner: bool) -> None:
    """A text that waits says what happened and by when: where that is another now, it is written anew."""
    waits = compose.newest_texts(work.connection, [row.id]).get(row.id)
    if waits is None or waits.state != "waiting":
        return
    call = work.connection.execute(_CALL, {"of_pbx": work.pbx, "of_call": call_id}).one()
    seconds = now.waited_us / SECOND
    loss = Loss(call_id, row.queue, now.kind, now.reason, now.side, seconds, call.started_at, work.now)
    if not sooner and compose.template_of(loss) == waits.template:
        return
    compose.withdraw(work, row.id, "the verdict was corrected")
    compose.explain(work, compose.recipient(work.connection, row.id), loss, promises.in_force(work.connection, row.id))
