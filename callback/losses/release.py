"""Losses for which nobody is called back unasked (late news, refused numbers, …): a person may release one."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import Select, bindparam, delete, func, select, update

from callback.customers import blocks, numbers
from callback.customers.caller import Caller, Customer
from callback.customers.loss import Loss
from callback.customers.persons import is_shared, person_of
from callback.errors import CallbackError
from callback.events import Merged, Reserved
from callback.losses import decide, intake, redials
from callback.losses.apply import give
from callback.losses.decide import Known
from callback.site.context import Site
from callback.site.work import Work
from callback.store import tables as t
from scheduler.clock import SECOND
from scheduler.promise import promise
from telephony.calls.call import LEFT_UNSERVED, LOST
from telephony.ids import attempt_of

RESERVED: Final = ("reserved", "merged")  # by the service, or released before
_VOID = ("refused", "withdrawn")
_NOT_BY_US = (*_VOID, "returned", "continued")
"""Whether a caller who returned was spoken to since is told by the calls: this one may be that which closed it. What
became of one that goes on as another is told by that one."""
_NO_NUMBER: Final = "it came without a number that can be called; who knows whose it was says so with --number"
_C, _V, _U = t.call.c, t.verdict.c, t.unread_number.c
_R, _A = t.reservation.c, t.attempt.c
_LOCK = select(_C.call_id).where(_C.pbx == bindparam("of_pbx"), _C.call_id == bindparam("of_call")).with_for_update()
_DEALT_WITH = (
    select(_R.id)
    .where(_R.person_id == bindparam("person"), _R.pbx == bindparam("of_pbx"), _R.queue == bindparam("of_queue"))
    .where(_R.open.is_(False), _R.state.not_in(_NOT_BY_US), _R.state_since_at >= bindparam("over_at"))
    .where(_R.apart.in_(("", bindparam("of_call"))))  # on a shared number each call has its own
    .where(_R.id.not_in(select(_A.reservation_id).where(_A.id == bindparam("own_attempt"))))  # it was lost by that one
    .order_by(_R.id.desc())
    .limit(1)
)


class NotReleased(CallbackError):
    """No reservation can be made of this call; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class LostCall:
    """A lost call as it stands in the database, by its newest verdict, with its number or what was signalled."""

    call_id: str
    channel: str
    queue: str | None
    person_id: int | None
    e164: str | None
    digits: str | None
    started_at: int
    ended_at: int | None
    recovery: str
    kind: str
    reason: str | None
    side: str | None
    waited_us: int

    @property
    def over_at(self) -> int:
        """When it ended, as far as that is known."""
        return self.ended_at or self.started_at


def release(work: Work, call_id: str, number: str | None = None) -> Reserved | Merged:
    """Reserve a callback for a loss all the same. His promise is made now, and its clock starts now.

    `number` says whose it is (E.164) where what was signalled may be several people's.
    """
    if number is not None:
        _say_whose(work, call_id, number)
    return _again(work, call_id, withdrawn=False)


def _again(work: Work, call_id: str, *, withdrawn: bool) -> Reserved | Merged:
    work.connection.execute(_LOCK, {"of_pbx": work.pbx, "of_call": call_id})  # of two who release it, one comes later
    call = _lost_call(work, call_id)
    if call is None:
        raise NotReleased(
            f"there is no lost call {call_id}; `callback reservation unreserved` lists what may be released"
        )
    never = None if withdrawn and call.recovery in RESERVED else _never(call)
    if never is not None or call.person_id is None or call.e164 is None:
        raise NotReleased(f"call {call_id} cannot be released: {never or _NO_NUMBER}")
    customer = Customer(call.person_id, call.e164)
    if (fault := _not_now(work, call, customer)) is not None:
        raise NotReleased(f"call {call_id} cannot be released: {fault}")
    work.connection.execute(
        delete(t.loss).where(t.loss.c.pbx == work.pbx, t.loss.c.call_id == call_id)
    )  # of the refusal
    return _give(work, call, customer)


def restore(work: Work, reservation: int) -> Reserved | Merged:
    """Reserve anew for the last loss of a reservation that a person withdrew as not lost."""
    loss, r = t.loss.c, t.reservation.c
    calls = select(loss.call_id, r.state, r.person_id, r.queue).join(t.reservation, r.id == loss.reservation_id)
    last = calls.where(r.id == reservation, r.pbx == work.pbx).order_by(loss.lost_at.desc()).limit(1)
    found = work.connection.execute(last).first()
    if found is None or found.state != "withdrawn":
        raise NotReleased(f"reservation {reservation} was not withdrawn as not lost: nothing is to be taken back")
    newer = select(r.id).where(r.id > reservation, r.person_id == found.person_id, r.queue == found.queue)
    if (since := work.connection.execute(newer.where(r.state.not_in(_VOID)).limit(1)).scalar()) is not None:
        raise NotReleased(f"a callback was reserved for him since: see reservation {since}")
    return _again(work, found.call_id, withdrawn=True)


def after_all(work: Work, call_id: str) -> Reserved | Merged:
    """Reserve for a call that a person says was lost after all; not where what was owed then was dealt with since."""
    call = _lost_call(work, call_id)
    if call is not None and call.person_id is not None:
        asked = {"of_pbx": work.pbx, "person": call.person_id, "of_queue": call.queue, "over_at": call.over_at}
        asked |= {"of_call": call_id, "own_attempt": attempt_of(call_id) or ""}
        if (since := work.connection.execute(_DEALT_WITH, asked).scalar()) is not None:
            raise NotReleased(f"what was owed then was dealt with since: see reservation {since}")
    return _again(work, call_id, withdrawn=True)


def _lost_call(work: Work, call_id: str) -> LostCall | None:
    row = work.connection.execute(lost_calls().where(_C.pbx == work.pbx, _C.call_id == call_id)).first()
    return None if row is None else LostCall(**{one.name: getattr(row, one.name) for one in fields(LostCall)})


def _readings(call: LostCall, site: Site) -> tuple[str, ...]:
    read = numbers.read(call.digits, site.trunks[site.trunk_name(call.channel)])
    return read.readings if isinstance(read, numbers.Refused) else ()


def _say_whose(work: Work, call_id: str, number: str) -> None:
    """Say whose call it was, if that number is one that was signalled."""
    his = (_C.pbx == work.pbx, _C.call_id == call_id)
    call = _lost_call(work, call_id)
    may_be = _readings(call, work.site) if call is not None and call.digits is not None else ()
    if (
        call is None
        or number not in may_be
        or number in work.site.trunks[work.site.trunk_name(call.channel)].own_numbers
    ):
        may = (
            f"it may be {' or '.join(may_be)}, and our own numbers are not called" if may_be else "that is no question"
        )
        raise NotReleased(f"call {call_id} cannot be released as {number}'s: {may}")
    work.connection.execute(update(t.call).where(*his).values(person_id=person_of(work.connection, number, work.now)))
    work.connection.execute(delete(t.unread_number).where(_U.pbx == work.pbx, _U.call_id == call_id))


def _never(call: LostCall) -> str | None:
    """What is wrong with the call itself."""
    if call.recovery in RESERVED:
        return "a callback is, or was, reserved for it; see `callback queue`"
    if call.recovery == "ambiguous-number" and call.e164 is None:
        return "its number may be two people's; `callback reservation unreserved` shows them: say which with --number"
    if call.e164 is None or not call.e164.startswith("+"):
        return _NO_NUMBER
    if call.recovery == "own-number":
        return "its number is our own"
    if not call.queue:
        return "it led to no queue; name one for its number in [rules.dids], for later ones"
    return None


def _not_now(work: Work, call: LostCall, customer: Customer) -> str | None:
    """What has become of the customer."""
    if blocks.blocked(work.connection, customer.e164).calls:
        return "its number is blocked; take that back with `callback reservation unblock` first"
    if redials.spoken_to_since(work, customer.person, call.queue or "", call.over_at):
        return "he was spoken to since, in a call of his or of ours"
    return None


def lost_calls() -> Select[Any]:
    """Every lost call, with its number and by its newest verdict."""
    newer = t.verdict.alias()
    newest = select(func.max(newer.c.version)).where(newer.c.pbx == _V.pbx, newer.c.call_id == _V.call_id)
    columns = select(
        t.call,
        t.person.c.number.label("e164"),
        _U.digits,
        _V.kind,
        _V.reason,
        _V.side,
        _V.waited_us,
        _V.talked_us,
    )
    joined = columns.join(t.verdict, (_V.pbx == _C.pbx) & (_V.call_id == _C.call_id)).outerjoin(t.person)
    joined = joined.outerjoin(t.unread_number, (_U.pbx == _C.pbx) & (_U.call_id == _C.call_id))
    lost = _V.kind.in_((*LOST, "requested")) | (_V.reason == LEFT_UNSERVED)
    return joined.where(_V.version == newest.scalar_subquery(), lost)


def _give(work: Work, call: LostCall, customer: Customer) -> Reserved | Merged:
    """Give the callback, promised as if the call were lost now; what the number was refused for does not count."""
    how = (call.kind, call.reason, call.side, call.waited_us / SECOND)
    loss = Loss(call.call_id, call.queue or "", *how, call.started_at, call.over_at)
    trunk = work.site.trunk_name(call.channel)
    hours = work.site.hours_of(customer.e164, trunk)
    shared, blocked = is_shared(work.connection, customer.person), blocks.blocked(work.connection, customer.e164)
    caller = Caller(customer.e164, None, trunk, hours, customer.person, shared=shared, texts_blocked=blocked.texts)
    pledge = promise(call.kind, work.now, work.now, hours, work.site.rules.promise_terms())
    known = Known(work.now, pledge, standing=intake.standing_of(work, loss, caller))
    return give(work, loss, caller, decide.owed(loss, customer, known))
