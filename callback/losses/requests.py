"""A callback that somebody asked for without calling: a program for its customer, or a person.

It counts as one occasion of the kind `requested`, under a call id that no PBX gives, and is promised as one.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError

from callback.customers import blocks, numbers
from callback.customers.caller import Caller
from callback.customers.loss import Loss
from callback.customers.numbers import Refused
from callback.customers.persons import is_shared, person_of
from callback.errors import CallbackError
from callback.events import Reserved
from callback.reservations import new
from callback.reservations.new import NewReservation
from callback.reservations.reservation import lock_open
from callback.site.work import Work
from callback.store import tables as t
from callback.texts import compose
from callback.texts.compose import Recipient
from scheduler.promise import Promise
from scheduler.severity import Harm, severity

KIND: Final = "requested"
_R = t.reservation.c
_REFERENCE = update(t.reservation).where(_R.id == bindparam("of_reservation"))
_OWED = select(_R.id).where(t.OPEN, _R.pbx == bindparam("of_pbx"), _R.queue == bindparam("of_queue")).limit(1)


class NoSuchQueue(CallbackError):
    """Neither the settings nor what is owed know a queue of that name, or it is another group's."""


class NotCallable(CallbackError):
    """The number is none that may be called back; `why` is the reason in hyphenated words."""

    def __init__(self, why: str, sentence: str) -> None:
        super().__init__(sentence)
        self.why = why


class Paused(CallbackError):
    """Somebody stopped registering in this queue; `until_at` is when it goes on by itself."""

    def __init__(self, until_at: int) -> None:
        super().__init__("registering is paused in this queue: ask again when that is over")
        self.until_at = until_at


class BadReference(CallbackError):
    """The reference names the customer's number, and is shown where that is not."""


@dataclass(frozen=True, slots=True)
class Request:
    """Who is to be called back, as somebody wrote the number, for which queue, and what the program calls it."""

    number: str
    queue: str
    reference: str | None = None
    groups: frozenset[str] | None = None  # of queues, that may be asked for; None: all


@dataclass(frozen=True, slots=True)
class Registered:
    """The reservation, and whether it is new: else it was open already, and stays as it was."""

    reservation: int
    made: bool


def register(work: Work, request: Request) -> Registered:
    """Reserve a callback. NoSuchQueue, Paused, NotCallable or BadReference where that cannot be."""
    _must_be_known(work, request)
    if (pause := work.site.paused("register", request.queue)) is not None:
        raise Paused(pause.until_at)
    caller, person = _caller(work, request)
    if request.reference is not None and _names(request.reference, caller):
        raise BadReference("the reference holds the number: choose another, for it is shown where numbers are not")
    loss = Loss(f"request/{secrets.token_hex(8)}", request.queue, KIND, None, None, 0.0, work.now, work.now)
    caller, pledge = work.site.pledge(caller, KIND, work.now, work.now)
    if caller.refused is not None:
        raise NotCallable(caller.refused, "by the rules of today this phone may never ring")
    apart, harm = loss.call_id if caller.shared else "", severity([Harm(KIND, 0.0)])
    standing = lock_open(work.connection, work.pbx, request.queue, person, apart)
    if standing is not None:
        return Registered(standing.id, made=False)
    try:
        with work.connection.begin_nested():
            row = new.add(work, NewReservation(person, apart, caller.trunk, "waiting", harm, pledge), loss)
    except IntegrityError:  # another was quicker, a lost call perhaps
        standing = lock_open(work.connection, work.pbx, request.queue, person, apart)
        if standing is None:
            raise
        return Registered(standing.id, made=False)
    if request.reference is not None:
        work.connection.execute(_REFERENCE.values(reference=request.reference), {"of_reservation": row})
    _tell(work, row, loss, caller, pledge)
    return Registered(row, made=True)


def _must_be_known(work: Work, request: Request) -> None:
    rules = work.site.rules
    known = request.queue in rules.queues or (
        work.connection.execute(_OWED, {"of_pbx": work.pbx, "of_queue": request.queue}).first() is not None
    )
    theirs = request.groups is None or rules.queue(request.queue).group in request.groups
    if not (known and theirs):
        raise NoSuchQueue("no such queue is known here: name one of the settings")


def _caller(work: Work, request: Request) -> tuple[Caller, int]:
    """The customer, as for a call that came in on the trunk over which the number is called."""
    trunk = work.site.dials_over("")
    read = numbers.written(request.number, work.site.trunks[trunk])
    if isinstance(read, Refused):
        raise NotCallable(read.reason, _SAID.get(read.reason, "this number is not called back"))
    blocked = blocks.blocked(work.connection, read.e164)
    if blocked.calls:
        raise NotCallable("number-blocked", "the number is blocked for our calls: take that back first")
    person = person_of(work.connection, read.e164, work.now)
    caller = Caller(read.e164, None, trunk, work.site.hours_of(read.e164, trunk), person)
    shared = is_shared(work.connection, person)
    return replace(caller, shared=shared, texts_blocked=blocked.texts), person


_SAID: Final = {
    "ambiguous-number": "the number may be two people's: write it with its country, as in +81312345678",
    "not-a-number": "this is no telephone number: write it with its country, as in +81312345678",
    "no-such-number": "there can be no such number: write it with its country, as in +81312345678",
    "foreign-country": "the trunk calls no number of that country: see [trunks] allowed_countries",
}


def _names(reference: str, caller: Caller) -> bool:
    """Whether a reference holds the number, in whatever form it is written."""
    digits = "".join(filter(str.isdecimal, reference))
    return caller.e164 is not None and numbers.ending_of(caller.e164) in digits


def _tell(work: Work, row: int, loss: Loss, caller: Caller, pledge: Promise) -> None:
    """Write to the customer that we call, and tell it."""
    customer = caller.customer
    assert customer is not None  # noqa: S101 - `_caller` gives one who can be called
    who = (loss.queue, caller.trunk, customer.person, customer.e164, pledge.deadline_at)
    to = Recipient(row, *who, text_refusal=None, opted_out=caller.texts_blocked)
    text = compose.explain(work, to, loss, pledge)
    promised = (pledge.clock_starts_at, pledge.aim_at, pledge.deadline_at, pledge.reason)
    work.tell(Reserved(row, loss.queue, loss.kind, *promised, text=text, held=False))
