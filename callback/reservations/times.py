"""When a reservation may be called at the earliest: what says so, each fact in a column, and what follows from them.

    clock_starts_at    the promise in force: at the next opening, or at the time that the customer chose
    put_off_until_at   a person said: not before
    retry_at           after an outcome, or an agent's own call: not before
    quiet_until_at     the customer's hours, or the rings that a day has
    not_before_at      what follows: see `scheduler.promise.not_before`

Nobody else writes these, nor the other columns that go with a promise and a chosen time.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from callback.reservations.reservation import Reservation
from callback.store import tables as t
from scheduler.promise import Facts, Promise, not_before

_R = t.reservation.c
_FACTS: Final = ("clock_starts_at", "put_off_until_at", "retry_at", "quiet_until_at")
_BESIDE: Final = ("slot_at", "promise_number", "aim_at", "deadline_at", "overdue_by_at")
KEPT: Final = (*_FACTS, *_BESIDE)
"""The columns that nobody else writes, but for what follows from them."""
NO_WAIT: Final[dict[str, None]] = {"put_off_until_at": None, "retry_at": None, "quiet_until_at": None}
"""Nothing but the promise says when."""

# Made once: to build a statement costs several times what it costs to run it, and these run for each call.
_STANDING = select(*(_R[name] for name in (*_FACTS, *_BESIDE))).where(_R.id == bindparam("of_reservation"))
_CONCLUDED = ("not_before_at", "due_at")
_CHANGE = (
    update(t.reservation)
    .where(_R.id == bindparam("of_reservation"))
    .values({name: bindparam(f"new_{name}") for name in (*_FACTS, *_BESIDE, *_CONCLUDED)})
)


def of_new(pledge: Promise) -> dict[str, int]:
    """The columns of a reservation whose first promise this is, and of which nothing else says when."""
    return {"promise_number": 1, **of_promise(pledge), **_concluded({"clock_starts_at": pledge.clock_starts_at})}


def of_promise(pledge: Promise) -> dict[str, int]:
    """The times of a promise, as the columns have them."""
    times = {"clock_starts_at": pledge.clock_starts_at, "aim_at": pledge.aim_at}
    return {**times, "deadline_at": pledge.deadline_at}


def change(connection: Connection, reservation: int, **changed: int | None) -> int:
    """Change some of these facts, leave the others, and give what follows: not before when it may be called."""
    standing = connection.execute(_STANDING, {"of_reservation": reservation}).one()
    facts: dict[str, Any] = {**standing._mapping, **changed}  # noqa: SLF001 - a row as a mapping
    concluded = _concluded(facts)
    values = {f"new_{name}": value for name, value in (facts | concluded).items()}
    connection.execute(_CHANGE, {"of_reservation": reservation, **values})
    return concluded["not_before_at"]


def changed(row: Reservation, **changes: int | None) -> dict[str, int | None]:
    """Give what such a change writes, and what follows from it, for a row that was locked and read."""
    facts = {name: getattr(row, name) for name in _FACTS} | changes
    return changes | _concluded(facts)


def decided(row: Reservation) -> list[int | None]:
    """When it is called, as far as somebody decided that: two that differ tell that it was decided anew."""
    return [row.slot_at, row.put_off_until_at, row.promise_number]


def _concluded(facts: dict[str, Any]) -> dict[str, int]:
    """What follows; `due_at` says the same to a process of an older version."""
    at = not_before(Facts(**{name: facts[name] for name in _FACTS if name in facts}))
    return {"not_before_at": at, "due_at": at}
