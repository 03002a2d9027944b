"""A reservation as it stands in the database, with its customer's number: one type for all that read a whole row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, select

from callback.reservations.states import State
from callback.store import tables as t


@dataclass(frozen=True, slots=True)
class Reservation:
    """One row of `reservation`, and `e164`, the number of its customer; instants in microseconds UTC."""

    id: int
    pbx: str
    queue: str
    queue_group: str
    person_id: int
    apart: str
    trunk: str
    kind: str
    state: State
    open: bool
    made_at: int
    last_lost_at: int
    losses: int
    tries: int
    promise_number: int
    clock_starts_at: int
    aim_at: int
    deadline_at: int
    not_before_at: int
    put_off_until_at: int | None
    retry_at: int | None
    quiet_until_at: int | None
    state_since_at: int
    severity: int
    slot_at: int | None
    text_refusal: str | None
    assigned_to: str | None
    incident_id: int | None
    overdue_by_at: int | None
    revision: int  # raised by every change of the row
    handled_at: int | None
    reference: str | None
    agent: str | None  # whose phone is to be rung, until agent_until_at; None: any of the queue
    agent_until_at: int | None
    e164: str

    @property
    def told_by_at(self) -> int:
        """By when the customer was told last that we call; nobody gives up before that."""
        return self.deadline_at if self.overdue_by_at is None else self.overdue_by_at


_COLUMNS = [t.reservation.c[field.name] for field in fields(Reservation) if field.name != "e164"]
RESERVATIONS: Final[Select[Any]] = select(*_COLUMNS, t.person.c.number.label("e164")).join(t.person)
_R = t.reservation.c
_OPEN = (  # made once: it runs for each lost call
    RESERVATIONS.where(_R.pbx == bindparam("of_pbx"), _R.queue == bindparam("of_queue"))
    .where(_R.person_id == bindparam("person"), _R.apart == bindparam("is_apart"), t.OPEN)
    .with_for_update(of=t.reservation)
)


def read(connection: Connection, wanted: Select[Any], parameters: Mapping[str, Any] | None = None) -> list[Reservation]:
    """Read what is wanted of RESERVATIONS, in the order asked for."""
    return [Reservation(*row) for row in connection.execute(wanted, parameters)]


def lock_open(connection: Connection, pbx: str, queue: str, person: int, apart: str) -> Reservation | None:
    """The open reservation of a person in a queue, locked; there is one at most."""
    key = {"of_pbx": pbx, "of_queue": queue, "person": person, "is_apart": apart}
    return next(iter(read(connection, _OPEN, key)), None)


def read_one(connection: Connection, reservation: int, *, lock: bool = False) -> Reservation | None:
    """Read a reservation by its number, of whatever PBX; locked, without its person, where it is to be changed."""
    wanted = RESERVATIONS.where(t.reservation.c.id == reservation)
    return next(iter(read(connection, wanted.with_for_update(of=t.reservation) if lock else wanted)), None)
