"""Decisions about reservations and numbers: each in one transaction, with who, when and why in the audit chain.

A customer's own decision comes the same way (`who` is "customer" then). Only it moves a promise to a later time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection, func, select, update

from callback.campaigns import forgetting as campaigns
from callback.care import forgetting as care
from callback.customers import blocks, numbers, persons
from callback.errors import CallbackError, IllegalTransition
from callback.events import Decided
from callback.losses import calls as call_rows
from callback.losses import release as releasing
from callback.reservations import deadlines, moves, promises, slots, times
from callback.reservations.reservation import Reservation, read_one
from callback.reservations.states import Event
from callback.site.telling import tell
from callback.site.work import Work
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By
from callback.texts import compose
from scheduler.errors import SchedulerError
from scheduler.promise import at_once, tried_sooner
from scheduler.severity import NOW

Decision = Callable[[Work, int, By], None]


class NoSuchReservation(CallbackError):
    """There is no reservation of that number on this PBX."""


class NoSuchPerson(CallbackError):
    """Nobody with that telephone number is known."""


def hold(work: Work, reservation: int, by: By) -> None:
    """Do not call the customer until somebody resumes it. Raises IllegalTransition while a call is under way.

    Whom an incident or the service holds is held by a person from then on: only a person lets go again.
    """
    row = _locked(work, reservation)
    if row.state != "held" or not _held_by_us(work.connection, row):
        _moved(work, reservation, "held", by)
        return
    _change(work.connection, reservation, incident_id=None)
    tell(work, by, "held", {}, reservation)


def resume(work: Work, reservation: int, by: By) -> None:
    """Let a held reservation be called again."""
    _moved(work, reservation, "resumed", by)


def cancel(work: Work, reservation: int, by: By) -> None:
    """Owe the customer nothing more; a text that was not sent is taken back."""
    _moved(work, reservation, "cancelled", by)


def done_elsewhere(work: Work, reservation: int, by: By) -> None:
    """Close the reservation: the customer was called, or helped, by other means."""
    _moved(work, reservation, "done-elsewhere", by)


def not_lost(work: Work, reservation: int, by: By) -> None:
    """Close the reservation: the call was not lost after all (a caller's own mute, a test call)."""
    _moved(work, reservation, "withdrawn", by)


def lost(work: Work, reservation: int, by: By) -> None:
    """Take `not-lost` back: a callback is promised anew, from now on, as a reservation of its own."""
    made = releasing.restore(work, reservation)
    tell(work, by, "lost", {"instead_of": reservation, "event": made.NAME}, made.reservation)


def call_now(work: Work, reservation: int, by: By) -> None:
    """Put the customer before all others of the lane, at once. Hours, agents and callers who wait stay as they are.

    A time that the customer chose gives way to the customer's own "call me now" alone. Where a person wants to try
    sooner and nobody answers, that time stands.
    """
    row = _resumed(work, reservation, by)
    _change(work.connection, reservation, severity=NOW)
    _begin_now(work, row, by)
    deadlines.give_time(work, _locked(work, reservation))
    tell(work, by, "call-now", _turn(work, reservation) | _unheld(row), reservation)


def choose_slot(work: Work, reservation: int, chosen_at: int, by: By) -> None:
    """Call the customer at the time that the customer chose: it replaces every other promise.

    SchedulerError where nobody may be rung then, `slots.NotFree` where too many others have chosen that half hour.
    """
    row = _resumed(work, reservation, by)
    pledge = slots.chosen(work, row, row.e164, chosen_at)
    promises.add(work, reservation, pledge)
    times.change(work.connection, reservation, slot_at=chosen_at, **times.NO_WAIT)
    compose.withdraw(work, reservation, "the customer chose another time")
    if by.who != audit.CUSTOMER:  # a customer who chose it was told at once
        compose.confirm(work, reservation, chosen_at)
    tell(work, by, "slot", {"slot_at": chosen_at} | _unheld(row), reservation)


def postpone(work: Work, reservation: int, until_at: int, by: By) -> None:
    """Do not call before this time. What the customer was promised stays: only the customer may move that (`slot`).

    It holds until the customer is lost again: that call is newer than what was known here, and at that phone.
    """
    row = _resumed(work, reservation, by)
    if until_at <= work.now:
        raise CallbackError("that time has passed: postpone to a later one, or `call-now`")
    if until_at > work.now + slots.FARTHEST:
        raise slots.TooFar("that is more than a year away: postpone to an earlier time")
    put_off_until_at = work.site.hours_of(row.e164, row.trunk).next_opening(until_at)
    times.change(work.connection, reservation, put_off_until_at=put_off_until_at)
    deadlines.void_what_comes_too_soon(work, row, put_off_until_at)
    facts = {"due_at": put_off_until_at, "deadline_at": row.deadline_at} | _unheld(row)
    tell(work, by, "postpone", facts, reservation)


def assign(work: Work, reservation: int, to: str, by: By) -> None:
    """Say which person looks after the reservation; empty: nobody. Whose phone rings stays the queue's affair."""
    _locked(work, reservation)
    if len(to) > t.WHO_ROOM:
        raise CallbackError(f"'{to[:20]}…' is too long a name: assign it to one of at most {t.WHO_ROOM} characters")
    _change(work.connection, reservation, assigned_to=to.strip() or None)
    tell(work, by, "assign", {"to": to.strip()}, reservation)


def block(work: Work, e164: str, *, calls: bool, texts: bool, by: By) -> None:
    """Neither call nor text a number any more, or one of both; what was to be sent to it is taken back.

    Where calls are blocked, what is owed to it is cancelled; a call that has not reached its phone yet is called off.
    """
    # Reservations are locked before the end of the audit's chain is, as in every other decision: no deadlock
    cancelled = _let_go(work, e164, "the number was blocked", cancel=calls)
    stands = blocks.block(work.connection, work.pbx, e164, by, work.now, calls=calls, texts=texts)
    _keep_why(work, cancelled, "block", by)
    about = {"calls": stands.calls, "texts": stands.texts, "cancelled": cancelled}
    work.tell(Decided("block", by.who, by.why, about=about))


def unblock(work: Work, e164: str, *, calls: bool, texts: bool, by: By) -> None:
    """Take back a block; what it cancelled stays so."""
    stands = blocks.unblock(work.connection, work.pbx, e164, by, work.now, calls=calls, texts=texts)
    work.tell(Decided("unblock", by.who, by.why, about={"calls": stands.calls, "texts": stands.texts}))


def erase(work: Work, e164: str, by: By) -> None:
    """Forget whose number this is, for good: a word that nobody can guess takes its place, and blocks stay.

    What is owed to it is cancelled, cases are withdrawn, and what texts, cases and notes said is removed. The calls
    stay, as nobody's.
    """
    digits = "".join(str(int(character)) for character in by.why + by.who if character.isdecimal())
    if numbers.ending_of(e164) in digits:  # in whatever form it is written
        raise CallbackError("--why names the number, and the audit is kept for good: say it without the number")
    p = t.person.c
    person = work.connection.execute(select(p.id).where(p.number == e164)).scalar_one_or_none()
    unread = call_rows.forget_unread(work.connection, e164)
    if person is None and not unread:
        raise NoSuchPerson(f"nobody with the number {e164} is known here: nothing is to be erased")
    if work.connection.execute(select(t.attempt.c.id).where(t.IN_FLIGHT, t.attempt.c.person_id == person)).first():
        raise CallbackError(f"{e164} is being called: erase it when that call has ended, in a few minutes")
    cancelled = _let_go(work, e164, "the customer was erased", cancel=True)
    facts: dict[str, Any] = {"person": person, "cancelled": cancelled}
    if person is not None:
        compose.forget(work, person)
        if cases := care.forget(work, person, by):
            facts["withdrawn_cases"] = cases
        campaigns.forget(work, person)
        persons.forget(work.connection, person)
    audit.add(work.connection, work.pbx, by, "erase", None, facts, work.now)
    _keep_why(work, cancelled, "erase", by)
    work.tell(Decided("erase", by.who, by.why, about=facts))


def release(work: Work, call_id: str, by: By, number: str | None = None) -> None:
    """Call back the caller who was lost in this call, which by itself made no reservation; promised from now on.

    `number` says whose it is where what was signalled may be several people's.
    """
    made = releasing.release(work, call_id, number)
    tell(work, by, "release", {"call_id": call_id, "event": made.NAME}, made.reservation)


BY_NAME: Final[dict[str, Decision]] = {
    "hold": hold,
    "resume": resume,
    "call-now": call_now,
    "cancel": cancel,
    "done-elsewhere": done_elsewhere,
    "not-lost": not_lost,
    "lost": lost,
}
"""The decisions that need no more than a reason."""


_CLOSING: Final[tuple[Event, ...]] = ("cancelled", "done-elsewhere", "withdrawn")


def _moved(work: Work, reservation: int, event: Event, by: By) -> None:
    row = _locked(work, reservation)
    try:
        moves.move(work, reservation, event)
    except IllegalTransition as error:
        remedy = "decide when the call has ended" if row.state == "calling" else "see `callback queue`"
        raise IllegalTransition(
            f"reservation {reservation} is '{row.state}', not to be {event} now; {remedy}"
        ) from error
    if event == "resumed":
        deadlines.give_time(work, row)
    if event in _CLOSING:
        compose.withdraw(work, reservation, f"{event} by a person")
    tell(work, by, event, {}, reservation)


def look_up(work: Work, reservation: int, *, lock: bool = False) -> Reservation:
    """Give a reservation with its number, open or closed. NoSuchReservation where there is none."""
    row = read_one(work.connection, reservation, lock=lock)
    if row is None or row.pbx != work.pbx:
        raise NoSuchReservation(no_such(work, reservation))
    return row


def no_such(work: Work, reservation: int) -> str:
    """Say that there is no such reservation."""
    return (
        f"there is no reservation {reservation} on {work.pbx}; `callback queue` lists the open, and "
        "`callback find NUMBER` those of one number"
    )


def _locked(work: Work, reservation: int) -> Reservation:
    """Lock the reservation before anything else: whoever decides, decides on what stands."""
    row = look_up(work, reservation, lock=True)
    if not row.open:
        raise NoSuchReservation(f"reservation {reservation} is closed ({row.state}): nothing can be decided about it")
    return row


def _resumed(work: Work, reservation: int, by: By) -> Reservation:
    """Lock the reservation; a hold ends when a person says when to call, and stands against the customer's own wish."""
    row = _locked(work, reservation)
    if row.state == "held":
        if by.who == audit.CUSTOMER:
            raise IllegalTransition(f"reservation {reservation} is held: only one of us lets it go")
        moves.move(work, reservation, "resumed")
    return row


def _unheld(before: Reservation) -> dict[str, Any]:
    """Tell that a decision about the time ended a hold, which somebody else may have had a reason for."""
    return {"held_no_more": True} if before.state == "held" else {}


def _begin_now(work: Work, row: Reservation, by: By) -> None:
    """Let nothing wait any more, and let the clock start now; nothing is promised later than before."""
    standing = promises.in_force(work.connection, row.id)
    chosen = row.slot_at is not None and row.slot_at > work.now
    stands = chosen and by.who != audit.CUSTOMER
    times.change(work.connection, row.id, slot_at=row.slot_at if stands else None, **times.NO_WAIT)
    if stands:
        pledge = standing if standing.clock_starts_at <= work.now else tried_sooner(standing, work.now)
    else:
        if chosen:
            compose.withdraw(work, row.id, "the customer asked to be called now")
        hours = work.site.hours_of(row.e164, row.trunk)
        try:
            pledge = at_once(standing, row.kind, work.now, hours, work.site.rules.promise_terms())
        except SchedulerError:  # by the rules of today no phone may ever ring: what stands is for people
            return
    if pledge is not standing:
        promises.add(work, row.id, pledge)


def _turn(work: Work, reservation: int) -> dict[str, Any]:
    """From when on the customer may be called, by when that is owed, and how many of the queue go after and before."""
    row, r = _locked(work, reservation), t.reservation.c
    others = select(func.count()).where(t.OPEN, r.pbx == row.pbx, r.queue == row.queue, r.state == "waiting")
    others = others.where(r.not_before_at <= work.now, r.id != row.id)
    first, after = (
        work.connection.execute(others.where(which)).scalar_one() for which in (r.severity >= NOW, r.severity < NOW)
    )
    try:
        from_at = work.site.hours_of(row.e164, row.trunk).next_opening(max(work.now, row.clock_starts_at))
    except SchedulerError:  # never, by the rules of today: that is said where it is looked at
        from_at = None
    return {"from_at": from_at, "by_at": row.told_by_at, "overtakes": after, "behind": first}


def _let_go(work: Work, e164: str, why: str, *, cancel: bool) -> list[int]:
    """Take back what was to be sent to a number, and cancel what is owed to it; give the reservations cancelled."""
    r = t.reservation
    of_number = select(r.c.id, r.c.open).join(t.person).where(t.person.c.number == e164).order_by(r.c.id)
    cancelled = []
    for row in work.connection.execute(of_number.with_for_update(of=r)).all():
        compose.withdraw(work, row.id, why)
        if row.open and cancel:
            moves.move(work, row.id, "barred")
            cancelled.append(row.id)
    return cancelled


def _held_by_us(connection: Connection, row: Reservation) -> bool:
    """Whether an incident or the service holds the reservation, and not a person."""
    last = audit.last(connection, "held", [row.id]).get(row.id)
    return row.incident_id is not None or (last is not None and last.who == audit.SERVICE)


def _keep_why(work: Work, cancelled: list[int], action: str, by: By) -> None:
    """Let each reservation that a decision about a number cancelled know why it ended."""
    for reservation in cancelled:
        audit.add(work.connection, work.pbx, by, "cancelled", reservation, {"by": action}, work.now)


def _change(connection: Connection, reservation: int, **values: int | str | None) -> None:
    connection.execute(update(t.reservation).where(t.reservation.c.id == reservation).values(**values))
