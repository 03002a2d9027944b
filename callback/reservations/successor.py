"""A reservation that was closed as reached, though nobody was, goes on as another one: what is closed never reopens.

The successor takes the losses, the promises and the tries with it: the first promise stands, and counts once. Where the
customer was lost again meanwhile, the losses join what stands, which keeps the earlier of both promises, and the tries
of the one that was tried more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection, bindparam, func, insert, literal, select, update

from callback.errors import IllegalTransition
from callback.reservations import moves, promises, times
from callback.reservations.reservation import RESERVATIONS, Reservation, lock_open, read, read_one
from callback.reservations.states import State
from callback.site.work import Work
from callback.store import tables as t
from callback.store.numbering import insert_numbered
from callback.texts import compose
from scheduler.promise import Promise, by, merge

_R, _L, _A, _P = t.reservation.c, t.loss.c, t.attempt.c, t.promise.c
_CARRIED: Final = (
    "pbx", "queue", "queue_group", "person_id", "apart", "trunk", "kind", "made_at", "last_lost_at", "losses", "tries",
    "promise_number", "clock_starts_at", "aim_at", "deadline_at", "severity", "text_refusal", "assigned_to",
    "overdue_by_at", "reference", "agent", "agent_until_at",
)  # fmt: skip
_OF: Final[Any] = bindparam("of_reservation")
_LOSSES = select(_L.call_id).where(_L.reservation_id == _OF).order_by(_L.call_id)
_LOSS_TO = (
    update(t.loss).where(_L.pbx == bindparam("of_pbx"), _L.call_id.in_(bindparam("calls", expanding=True)))
).values(reservation_id=bindparam("to_reservation"))
_ATTEMPTS_TO = update(t.attempt).where(_A.reservation_id == _OF).values(reservation_id=bindparam("to_reservation"))
_ATTEMPTS = select(func.count()).select_from(t.attempt).where(_A.reservation_id == _OF)
_JOINED = update(t.reservation).where(_R.id == _OF)
_JOINED = _JOINED.values({name: bindparam(f"now_{name}") for name in ("losses", "last_lost_at", "severity", "tries")})
_OPEN_OF_SAME = (
    RESERVATIONS.where(_R.pbx == bindparam("of_pbx"), _R.queue == bindparam("of_queue"), t.OPEN)
    .where(_R.person_id == bindparam("person"), _R.apart == bindparam("is_apart"))
)  # fmt: skip
_SAME = [column for column in t.promise.c if column.name != "reservation_id"]


@dataclass(frozen=True, slots=True)
class GoesOn:
    """As which other a reservation goes on, and how it stood; `joined`: that one stood already."""

    reservation: int
    successor: int
    joined: bool
    losses: tuple[str, ...]
    state: State
    state_since_at: int
    tried: int  # attempts that went along
    tries: int  # so many more were counted where it joined
    decided: list[int | None]  # when the successor was to be called (`times.decided`)

    def as_json(self) -> dict[str, Any]:
        """Plain values, to be kept."""
        return asdict(self) | {"losses": list(self.losses)}


def restored(facts: Mapping[str, Any]) -> GoesOn:
    """Make one of the values that were kept."""
    return GoesOn(**{**facts, "losses": tuple(facts["losses"])})


def owed(connection: Connection, row: Reservation) -> Reservation:
    """The reservation by which the customer of this one is owed a callback, where it goes on as another."""
    if row.state != "continued":
        return row
    asked = {"of_pbx": row.pbx, "of_queue": row.queue, "person": row.person_id, "is_apart": row.apart}
    return next(iter(read(connection, _OPEN_OF_SAME, asked)), row)


def go_on(work: Work, row: Reservation, retry_at: int, slot_at: int | None = None) -> GoesOn:
    """Let a closed reservation, locked, go on as another, which is not tried before `retry_at`.

    `slot_at`: a time to come that the customer chose, which stands.
    """
    losses = tuple(work.connection.execute(_LOSSES, {"of_reservation": row.id}).scalars())
    standing = lock_open(work.connection, row.pbx, row.queue, row.person_id, row.apart)
    if standing is not None:
        _join(work, row, standing)
        successor, more = standing.id, max(0, row.tries - standing.tries)
    else:
        successor, more = _succeed(work, row, retry_at, slot_at), 0
    moves.put_back(work, row.id, "continued", {})
    _move_losses(work, losses, successor)
    compose.withdraw(work, row.id, "nobody was reached after all")
    tried = work.connection.execute(_ATTEMPTS, {"of_reservation": successor}).scalar_one()
    was = (losses, row.state, row.state_since_at)
    return GoesOn(row.id, successor, standing is not None, *was, tried, more, decided_of(work.connection, successor))


def take_back(work: Work, kept: GoesOn) -> None:
    """Let it have been as it was. IllegalTransition where the customer was called, or lost again, since.

    Nor is a time taken from the customer that was decided since: whoever decided it decides again.
    """
    row = read_one(work.connection, kept.successor, lock=True)
    if row is None or row.state not in {"waiting", "held"}:
        state = "gone" if row is None else row.state
        raise IllegalTransition(f"callback {kept.successor}, which goes on with it, is '{state}' by now")
    if kept.joined:
        _part(work, row, kept)
        return
    moved = tuple(work.connection.execute(_LOSSES, {"of_reservation": row.id}).scalars())
    tried = work.connection.execute(_ATTEMPTS, {"of_reservation": row.id}).scalar_one()
    if moved != kept.losses or tried != kept.tried:
        raise IllegalTransition(f"callback {row.id}, which goes on with it, was changed since")
    must_be_as_decided(row, kept.decided)
    _move_losses(work, kept.losses, kept.reservation)
    work.connection.execute(_ATTEMPTS_TO, {"of_reservation": row.id, "to_reservation": kept.reservation})
    moves.move(work, row.id, "withdrawn")
    compose.withdraw(work, row.id, "the customer was reached after all")
    moves.put_back(work, kept.reservation, kept.state, {"state_since_at": kept.state_since_at})


def decided_of(connection: Connection, reservation: int) -> list[int | None]:
    """When it is called, as far as somebody decided that."""
    row = read_one(connection, reservation)
    return [] if row is None else times.decided(row)


def must_be_as_decided(row: Reservation, decided: list[int | None]) -> None:
    """IllegalTransition where another time was decided since."""
    if times.decided(row) != decided:
        raise IllegalTransition(f"another time was decided since for callback {row.id}: decide about that one")


def call_again(work: Work, row: Reservation, pledge: Promise) -> int:
    """Make a callback of its own for a customer who was reached, promised for a time that the customer chose."""
    own = {"made_at": work.now, "losses": 0, "tries": 0, "severity": 0, "overdue_by_at": None}
    again = _made(work, row, **own, **times.of_new(pledge))
    promises.first(work, again, pledge)
    times.change(work.connection, again, slot_at=pledge.clock_starts_at)
    return again


def _made(work: Work, row: Reservation, **others: int | None) -> int:
    values: dict[str, Any] = {name: getattr(row, name) for name in _CARRIED}
    waits = {"not_before_at": row.clock_starts_at, "due_at": row.clock_starts_at}
    values |= {"state": "waiting", "open": True, "state_since_at": work.now, **waits, **others}
    return insert_numbered(work.connection, t.reservation, values)


def _succeed(work: Work, row: Reservation, retry_at: int, slot_at: int | None) -> int:
    """Make the successor, with every promise as it was made."""
    successor = _made(work, row)
    theirs = select(literal(successor), *_SAME).where(_P.reservation_id == row.id)
    names = ["reservation_id", *(column.name for column in _SAME)]
    work.connection.execute(insert(t.promise).from_select(names, theirs))
    work.connection.execute(_ATTEMPTS_TO, {"of_reservation": row.id, "to_reservation": successor})
    times.change(work.connection, successor, retry_at=retry_at, slot_at=slot_at)
    return successor


def _join(work: Work, row: Reservation, standing: Reservation) -> None:
    """Let what stands take the losses; nothing is promised later than either promise, while both can be kept.

    Where the one of `row` is broken, nothing is promised later than the apology told, while that can be kept.
    """
    kept = promises.in_force(work.connection, standing.id)
    pledge = kept
    if standing.slot_at is not None and standing.slot_at > work.now:
        pass  # the customer chose that time
    elif row.deadline_at > work.now:
        pledge = merge(kept, promises.in_force(work.connection, row.id))
    elif row.overdue_by_at is not None and row.overdue_by_at > work.now:
        pledge = by(kept, row.overdue_by_at)
    if pledge is not kept:
        promises.add(work, standing.id, pledge)
    harm, tries = max(standing.severity, row.severity), max(standing.tries, row.tries)
    lost_at = max(standing.last_lost_at, row.last_lost_at)
    _count(work, standing.id, losses=standing.losses + row.losses, severity=harm, last_lost_at=lost_at, tries=tries)


def _part(work: Work, standing: Reservation, kept: GoesOn) -> None:
    """Give the losses and the tries back; what was promised stays."""
    _move_losses(work, kept.losses, kept.reservation)
    losses, tries = standing.losses - len(kept.losses), standing.tries - kept.tries
    lately = {"severity": standing.severity, "last_lost_at": standing.last_lost_at}
    _count(work, standing.id, losses=losses, tries=tries, **lately)
    moves.put_back(work, kept.reservation, kept.state, {"state_since_at": kept.state_since_at})


def _count(work: Work, standing: int, **now: int) -> None:
    work.connection.execute(_JOINED, {"of_reservation": standing, **{f"now_{name}": now[name] for name in now}})


def _move_losses(work: Work, losses: tuple[str, ...], to: int) -> None:
    if losses:
        asked = {"of_pbx": work.pbx, "calls": list(losses), "to_reservation": to}
        work.connection.execute(_LOSS_TO, asked)
