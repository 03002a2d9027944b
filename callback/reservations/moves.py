"""A reservation goes from one state to the next, by its table."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from sqlalchemy import BindParameter, Update, bindparam, select, update

from callback.reservations import states as life
from callback.reservations.reservation import Reservation
from callback.site.work import Work
from callback.store import tables as t

_R = t.reservation.c
_STATE: Final = select(_R.state).where(_R.id == bindparam("of_reservation")).with_for_update()


def move(
    work: Work, reservation: int, event: life.Event, *, tries: int | None = None, incident: int | None = None
) -> life.State:
    """Take a reservation through one event of its table; an illegal one raises and changes nothing.

    Whoever is held is held by that incident; whoever is resumed is held by none any more.
    """
    values: dict[str, int | None] = {} if tries is None else {"tries": tries}
    if event in {"held", "resumed"}:
        values["incident_id"] = incident
    state = work.connection.execute(_STATE, {"of_reservation": reservation}).scalar_one()
    return _write(work, reservation, life.after(state, event), values)


def move_locked(work: Work, row: Reservation, event: life.Event, beside: dict[str, int | None]) -> life.State:
    """Take a reservation that was locked and read in this transaction through one event, and change columns beside."""
    return _write(work, row.id, life.after(row.state, event), beside)


def put_back(work: Work, reservation: int, state: life.State, beside: dict[str, Any]) -> None:
    """Let a reservation that was locked be in a state in which it was, and change columns beside: an act is undone."""
    _write(work, reservation, state, beside)


def _write(work: Work, reservation: int, state: life.State, beside: dict[str, Any]) -> life.State:
    values = {"state": state, "open": life.is_open(state), "state_since_at": work.now, **beside}
    facts = {f"new_{name}": value for name, value in values.items()}
    work.connection.execute(_changing(*values), {"of_reservation": reservation, **facts})
    return state


@cache
def _changing(*names: str) -> Update:
    """Made once for the columns that change together: to build it costs several times what it costs to run it."""
    values: dict[str, BindParameter[Any]] = {name: bindparam(f"new_{name}") for name in names}
    return update(t.reservation).where(_R.id == bindparam("of_reservation")).values(values)
