"""A callback that reached the customer and broke off, as the agent says: a loss like others, by the ordinary rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import bindparam, insert, update

from callback.customers.caller import Caller
from callback.customers.loss import Loss
from callback.errors import IllegalTransition
from callback.losses import apply, calls, corrections, decide, intake
from callback.losses.calls import PERSON_RANK, Said
from callback.losses.corrections import Consequence
from callback.reservations.reservation import RESERVATIONS, Reservation, read
from callback.site.work import Work
from callback.store import tables as t
from scheduler.severity import severity
from telephony.dialling.dialler import channel_id

CAUSES: Final[Mapping[str, Said]] = {
    "line": Said("dropped", "line-failed"),
    "sound": Said("silent", "no-sound"),
    "transfer": Said("dropped", "cut-off"),
}
"""What an agent says of it, and the verdict that this is."""
_L = t.loss.c
_OWED = (
    RESERVATIONS.join(t.loss, _L.reservation_id == t.reservation.c.id)
    .where(_L.pbx == bindparam("of_pbx"), _L.call_id == bindparam("of_call"), t.OPEN)
    .with_for_update(of=t.reservation)
)
_RAISED = update(t.reservation).where(t.reservation.c.id == bindparam("of_reservation"))
_RAISED = _RAISED.values(severity=bindparam("now_severity"))
_SERVED: Final = Said("served", "spoken-to")


def lose(work: Work, row: Reservation, attempt: str, cause: str, began_at: int, ended_at: int) -> int | None:
    """Keep the callback as a lost call of the customer of `row`, and do what follows; it counts once.

    Give the reservation by which a callback is owed for it, if one is. IllegalTransition while that one is being
    called, and where the call was taken back before and nobody can be called back for it any more.
    """
    call_id, said = channel_id(attempt, 1), CAUSES[cause]
    was = calls.newest(work, call_id)
    if was is not None:
        found = corrections.correct(work, call_id, was, said)
        if found.follows == "no-callback":
            raise IllegalTransition(found.why)
        return _raise(work, row, call_id)
    _file(work, row, call_id, said, (began_at, ended_at))
    loss = Loss(call_id, row.queue, said.kind, said.reason, None, 0.0, began_at, ended_at)
    hours = work.site.hours_of(row.e164, row.trunk)
    caller = Caller(row.e164, None, row.trunk, hours, row.person_id)
    caller, known = intake.gather(work, loss, caller, asked=True)
    apply.apply(work, loss, caller, decide.decide(loss, caller, known, work.site.rules.short_abandon_s))
    return _raise(work, row, call_id)


def _raise(work: Work, row: Reservation, call_id: str) -> int | None:
    """Nobody has served the customer since the losses before this one: they count, too, in what is owed for it."""
    owed = next(iter(read(work.connection, _OWED, {"of_pbx": work.pbx, "of_call": call_id})), None)
    if owed is None:
        return None
    harms = apply.harms_of(work.connection, row.id) + apply.harms_of(work.connection, owed.id)
    raised = {"of_reservation": owed.id, "now_severity": max(owed.severity, severity(harms))}
    work.connection.execute(_RAISED, raised)
    return owed.id


def take_back(work: Work, attempt: str) -> Consequence:
    """Say that it did not break off. IllegalTransition while the customer is being called for it."""
    call_id = channel_id(attempt, 1)
    was = calls.newest(work, call_id)
    if was is None:
        return Consequence("nothing", None)
    return corrections.correct(work, call_id, was, _SERVED)


def _file(work: Work, row: Reservation, call_id: str, said: Said, times: tuple[int, int]) -> None:
    began_at, ended_at = times
    key = {"pbx": work.pbx, "call_id": call_id}
    channel = work.site.trunks[row.trunk].channel if row.trunk in work.site.trunks else ""
    call: dict[str, Any] = {"linkedid": call_id, "channel": f"{channel}-{call_id}", "did": None, "queue": row.queue}
    call |= {"person_id": row.person_id, "started_at": began_at, "ended_at": ended_at, "recovery": "none"}
    work.connection.execute(insert(t.call).values(key | call))
    verdict: dict[str, Any] = {"version": 1, "source": t.PERSON, "rank": PERSON_RANK}
    verdict |= {
        "kind": said.kind,
        "reason": said.reason,
        "side": None,
        "waited_us": 0,
        "talked_us": ended_at - began_at,
        "evidence": [],
    }
    verdict |= {"rules_version": work.site.version, "judged_at": work.now}
    work.connection.execute(insert(t.verdict).values(key | verdict))
