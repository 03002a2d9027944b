"""A reservation goes from one state to the next, by its table."""

from __future__ import annotations

from sqlalchemy import select, update

from callback.reservations import states as life
from callback.site.work import Work
from callback.store import tables as t


def move(
    work: Work, reservation: int, event: life.Event, *, tries: int | None = None, incident: int | None = None
) -> life.State:
    """Take a reservation through one event of its table; an illegal one raises and changes nothing.

    Whoever is held is held by that incident; whoever is resumed is held by none any more.
    """
    values: dict[str, int | None] = {} if tries is None else {"tries": tries}
    if event in {"held", "resumed"}:
        values["incident_id"] = incident
    r = t.reservation
    state = work.connection.execute(select(r.c.state).where(r.c.id == reservation).with_for_update()).scalar_one()
    following = life.after(state, event)
    changed = {"state": following, "open": life.is_open(following), "state_since_at": work.now}
    work.connection.execute(update(r).where(r.c.id == reservation).values(**changed, **values))
    return following
