"""What people decide about a reservation: each decision one transaction, with who, when and why in the audit chain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from callback import audit, recovery, settle, wording
from callback.audit import By
from callback.errors import CallbackError, IllegalTransition
from callback.news import News
from callback.reservation import Event
from callback.shift import Shift
from callback.store import tables as t
from scheduler.promise import slot
from scheduler.severity import NOW

Decision = Callable[[Connection, Shift, int, By, int], list[News]]


class NoSuchReservation(CallbackError):
    """There is no reservation of that number on this PBX."""


def hold(connection: Connection, shift: Shift, reservation: int, by: By, now: int) -> list[News]:
    """Do not call him until somebody resumes it. Raises IllegalTransition while he is being called."""
    return _moved(connection, shift, reservation, "held", by, now)


def resume(connection: Connection, shift: Shift, reservation: int, by: By, now: int) -> list[News]:
    """Let a held reservation be called again."""
    return _moved(connection, shift, reservation, "resumed", by, now)


def cancel(connection: Connection, shift: Shift, reservation: int, by: By, now: int) -> list[News]:
    """Owe him nothing more; a text that was not sent is taken back."""
    return _moved(connection, shift, reservation, "cancelled", by, now)


def done_elsewhere(connection: Connection, shift: Shift, reservation: int, by: By, now: int) -> list[News]:
    """He was called, or helped, by other means."""
    return _moved(connection, shift, reservation, "done-elsewhere", by, now)


def not_lost(connection: Connection, shift: Shift, reservation: int, by: By, now: int) -> list[News]:
    """The call was not lost after all: a caller's own mute, a test call."""
    return _moved(connection, shift, reservation, "withdrawn", by, now)


def call_now(connection: Connection, shift: Shift, reservation: int, by: By, now: int) -> list[News]:
    """Put him before all others of his lane, at once. Hours, agents and callers who wait stay as they are."""
    row = _resumed(connection, shift, reservation, now)
    _change(connection, reservation, due_at=now, severity=NOW, clock_starts_at=min(row.clock_starts_at, now))
    return _told(connection, shift, reservation, "call-now", by, {}, now)


def choose_slot(connection: Connection, shift: Shift, reservation: int, chosen_at: int, by: By, now: int) -> list[News]:
    """Call him at the time that he chose: it replaces every other promise. SchedulerError where nobody may ring."""
    _resumed(connection, shift, reservation, now)
    pledge = slot(chosen_at, now, shift.hours)
    recovery.add_promise(connection, shift, reservation, pledge)
    times = {"aim_at": pledge.aim_at, "deadline_at": pledge.deadline_at}
    _change(connection, reservation, slot_at=chosen_at, due_at=chosen_at, clock_starts_at=chosen_at, **times)
    wording.withdraw(connection, reservation, "he chose another time", now)
    return _told(connection, shift, reservation, "slot", by, {"slot_at": chosen_at}, now)


BY_NAME: Final[dict[str, Decision]] = {
    "hold": hold,
    "resume": resume,
    "call-now": call_now,
    "cancel": cancel,
    "done-elsewhere": done_elsewhere,
    "not-lost": not_lost,
}
"""The decisions that need no more than a reason."""

_CLOSING: Final[tuple[Event, ...]] = ("cancelled", "done-elsewhere", "withdrawn")


def _moved(connection: Connection, shift: Shift, reservation: int, event: Event, by: By, now: int) -> list[News]:
    row = _locked(connection, shift, reservation)
    try:
        settle.move(connection, reservation, event, now)
    except IllegalTransition as error:
        remedy = "decide when the call has ended" if row.state == "calling" else "see `callback queue`"
        raise IllegalTransition(
            f"reservation {reservation} is '{row.state}', not to be {event} now; {remedy}"
        ) from error
    if event in _CLOSING:
        wording.withdraw(connection, reservation, f"{event} by a person", now)
    return _told(connection, shift, reservation, event, by, {}, now)


def _locked(connection: Connection, shift: Shift, reservation: int) -> Row[Any]:
    """Lock the reservation before anything else: whoever decides, decides on what stands."""
    r = t.reservation
    his = select(r).where(r.c.id == reservation, r.c.pbx == shift.pbx).with_for_update()
    row = connection.execute(his).first()
    if row is None:
        raise NoSuchReservation(
            f"there is no reservation {reservation} on {shift.pbx}; `callback queue` lists the open"
        )
    if not row.open:
        raise NoSuchReservation(f"reservation {reservation} is closed ({row.state}): nothing can be decided about it")
    return row


def _resumed(connection: Connection, shift: Shift, reservation: int, now: int) -> Row[Any]:
    """Lock the reservation; who is held while somebody says when to call him is held no more."""
    row = _locked(connection, shift, reservation)
    if row.state == "held":
        settle.move(connection, reservation, "resumed", now)
    return row


def _change(connection: Connection, reservation: int, **values: int) -> None:
    connection.execute(update(t.reservation).where(t.reservation.c.id == reservation).values(**values))


def _told(
    connection: Connection, shift: Shift, reservation: int, action: str, by: By, facts: dict[str, Any], now: int
) -> list[News]:
    audit.add(connection, shift.pbx, by, action, reservation, facts, now)
    return [News("decided", now, {"reservation": reservation, "action": action, "who": by.who, "why": by.why, **facts})]
