"""A new reservation, with its first promise, and its first loss where one made it; and each loss after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from callback.customers.loss import Loss
from callback.reservations import promises, times
from callback.reservations.states import State, is_open
from callback.site.work import Work
from callback.store import tables as t
from callback.store.inserting import insert_new
from callback.store.numbering import insert_numbered
from scheduler.promise import Promise


@dataclass(frozen=True, slots=True)
class NewReservation:
    """For whom a callback is reserved, in which state, and what is promised."""

    person: int
    apart: str  # keeps the calls of a shared number apart; empty for a person's own
    trunk: str
    state: State
    severity: int
    pledge: Promise


def add(work: Work, new: NewReservation, loss: Loss, cause: str = "", incident: int | None = None) -> int:
    """Make a reservation for a loss, of that cause and incident, and give its number."""
    row = _insert(work, new, loss.queue, loss.kind, {"last_lost_at": loss.lost_at, "losses": 1})
    add_loss(work, row, loss, cause, incident)
    return row


def add_follow_up(
    work: Work, new: NewReservation, queue: str, kind: str, *, agent: str | None, agent_until_at: int | None
) -> int:
    """Make a reservation that no lost call made, for an agent where one is named, and give its number."""
    beside = {"last_lost_at": work.now, "losses": 0, "agent": agent, "agent_until_at": agent_until_at}
    return _insert(work, new, queue, kind, beside)


def _insert(work: Work, new: NewReservation, queue: str, kind: str, beside: dict[str, Any]) -> int:
    values = {
        "pbx": work.pbx,
        "queue": queue,
        "queue_group": work.site.rules.queue(queue).group,
        "person_id": new.person,
        "apart": new.apart,
        "trunk": new.trunk,
        "kind": kind,
        "state": new.state,
        "open": is_open(new.state),
        "made_at": work.now,
        "tries": 0,
        **beside,
        **times.of_new(new.pledge),
        "state_since_at": work.now,
        "severity": new.severity,
    }
    row = insert_numbered(work.connection, t.reservation, values)
    promises.first(work, row, new.pledge)
    return row


def add_loss(work: Work, reservation: int, loss: Loss, cause: str = "", incident: int | None = None) -> None:
    """Give a reservation one more loss; one that is known stays where it is."""
    key = {"pbx": work.pbx, "call_id": loss.call_id}
    belongs = {"reservation_id": reservation, "cause": cause, "incident_id": incident}
    insert_new(work.connection, t.loss, {**key, **belongs, "lost_at": loss.lost_at})
