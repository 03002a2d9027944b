"""Incidents: many losses of one cause, held until they have passed, then let go at a set rate, or as a person says.

Whom an incident holds is in state `held`, like those whom a person holds: neither dialled nor texted. A person may
resume him alone, which lets him out of the incident.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, and_, bindparam, false, insert, literal, or_, select, update

from callback.customers.loss import Loss
from callback.errors import CallbackError
from callback.events import IncidentChanged
from callback.losses.decide import Incident
from callback.reservations import deadlines as broken_promises
from callback.reservations import moves, promises
from callback.reservations.reservation import RESERVATIONS, read
from callback.site.context import Site
from callback.site.work import Work
from callback.store import audit
from callback.store import tables as t
from callback.store.audit import By
from callback.texts import compose
from scheduler import incident as rule
from scheduler.clock import SECOND
from scheduler.incident import IncidentTerms, State
from scheduler.severity import NOW

DROPPED_A_TICK = 100
NO_INCIDENT: Final = ("requested", "closed")
"""A caller who asked for a callback was promised one; who calls while the site is closed tells of no trouble."""

Wish = Literal["released", "dropped"]

_I, _L, _R, _C, _V = t.incident.c, t.loss.c, t.reservation.c, t.call.c, t.verdict.c
# Made once: these run for each loss.
_OPEN = (
    select(t.incident)
    .where(_I.pbx == bindparam("of_pbx"), _I.cause == bindparam("of_cause"), t.INCIDENT_OPEN)
    .with_for_update()  # a person may decide at the same time: his word stands
)
_LATELY = (
    select(literal(1))
    .where(_L.pbx == bindparam("of_pbx"), _L.cause == bindparam("of_cause"))
    .where(_L.lost_at > bindparam("since"), _L.lost_at <= bindparam("until"))
    .limit(bindparam("enough"))
)
_MAY = (_R.state == "waiting", _R.slot_at.is_(None), _R.severity < NOW, _R.kind != "requested")
_MAY_BE_HELD = select(_R.id).where(_R.id == bindparam("of_reservation"), *_MAY).with_for_update()
_LED_TO_IT = select(_L.reservation_id).where(
    _L.pbx == bindparam("of_pbx"), _L.cause == bindparam("of_cause"), _L.lost_at > bindparam("since")
)
_SUFFERED = select(_R.id).where(_R.id.in_(_LED_TO_IT), *_MAY).order_by(_R.id).with_for_update()
_LAST = (
    select(_L.call_id, _L.lost_at, _R.queue, _C.started_at, _V.kind, _V.reason, _V.side, _V.waited_us)
    .select_from(t.loss)
    .join(t.reservation, _L.reservation_id == _R.id)
    .join(t.call, and_(_L.pbx == _C.pbx, _L.call_id == _C.call_id))
    .join(t.verdict, and_(_L.pbx == _V.pbx, _L.call_id == _V.call_id))
    .where(_L.reservation_id == bindparam("of_reservation"))
    .order_by(_L.lost_at.desc(), _V.version.desc())
    .limit(1)
)
_MORE = (
    update(t.incident)
    .where(_I.id == bindparam("of_id"))
    .values(losses=_I.losses + 1, last_lost_at=bindparam("lost_at"), state=bindparam("now_state"))
)


class NoSuchIncident(CallbackError):
    """There is no open incident of that number on this PBX."""


@dataclass(frozen=True, slots=True)
class Before:
    """How an incident stood before a person decided about it."""

    cause: str
    state: State
    let_go_at: int | None


@dataclass(frozen=True, slots=True)
class _Open:
    """An open incident: up to when its rate of letting go is used, and how many were let go."""

    id: int
    cause: str
    state: State
    let_go_at: int | None
    let_go: int


def cause_of(loss: Loss, trunk: str) -> str:
    """Name what losses of one incident have in common; empty for those that make none."""
    if loss.kind in NO_INCIDENT or loss.reason in NO_INCIDENT:
        return ""
    return f"{loss.queue}/{loss.reason or loss.kind}/{trunk}"


def parts_of(cause: str) -> tuple[str, str, str]:
    """The queue, the reason (or kind of loss) and the trunk of a cause."""
    queue, reason, trunk = cause.rsplit("/", 2)
    return queue, reason, trunk


def of_groups(site: Site, groups: Collection[str] | None) -> list[ColumnElement[bool]]:
    """Incidents of the queues of these groups, as conditions of a query; None: of all."""
    if groups is None:
        return []
    queues = [name for name, queue in site.rules.queues.items() if queue.group in groups]
    return [or_(false(), *(_I.cause.startswith(f"{name}/", autoescape=True) for name in queues))]


def look(work: Work, cause: str, lost_at: int, terms: IncidentTerms) -> Incident | None:
    """The incident that one more loss of this cause belongs to, or begins; it and whom it takes in are locked."""
    row = work.connection.execute(_OPEN, {"of_pbx": work.pbx, "of_cause": cause}).first()
    was = row.state if row else None
    lately = 1 + _lately(work, cause, lost_at, terms) if was in {None, "draining"} else 0
    state = rule.after_loss(was, lately, terms)
    if state is None:
        return None
    incident = Incident(row.id if row else None, was, state, max(row.last_lost_at, lost_at) if row else lost_at)
    if state == was:
        return incident
    since = {"of_pbx": work.pbx, "of_cause": cause, "since": lost_at - terms.window_s * SECOND}
    return replace(incident, others=tuple(work.connection.execute(_SUFFERED, since).scalars()))


def count(work: Work, cause: str, lost_at: int, incident: Incident) -> int:
    """Count one more loss in its incident, which begins with it where it is new, and give its number.

    One that holds from now on takes in those whose losses led to it.
    """
    if incident.id is None:
        number, taken = _begin(work, cause, lost_at, incident)
        work.tell(IncidentChanged(number, cause, incident.state, losses=taken + 1))
        return number
    asked = {"of_id": incident.id, "lost_at": incident.last_lost_at, "now_state": incident.state}
    work.connection.execute(_MORE, asked)
    if incident.state != incident.was:
        _take_in(work, incident.id, incident, cause, lost_at)
        work.tell(IncidentChanged(incident.id, cause, incident.state))
    return incident.id


def _lately(work: Work, cause: str, until: int, terms: IncidentTerms) -> int:
    """Count the losses of this cause within the window until then, up to as many as are no incident."""
    asked = {"of_pbx": work.pbx, "of_cause": cause, "since": until - terms.window_s * SECOND, "until": until}
    return len(work.connection.execute(_LATELY, asked | {"enough": terms.losses}).all())


def hold(work: Work, incident: int | None, reservation: int) -> bool:
    """Hold somebody who waits, and his text; not who asked for a callback or was given a time, by himself or people."""
    if work.connection.execute(_MAY_BE_HELD, {"of_reservation": reservation}).first() is None:
        return False
    _hold(work, incident, reservation)
    return True


def _hold(work: Work, incident: int | None, reservation: int) -> None:
    moves.move(work, reservation, "held", incident=incident)
    compose.withdraw(work, reservation, "an incident holds him")


def tend(work: Work) -> None:
    """Move every open incident on with time: what is quiet drains, what is drained is over."""
    still = select(t.incident).where(_I.pbx == work.pbx, t.INCIDENT_OPEN).order_by(_I.id)
    for row in work.connection.execute(still.with_for_update()).all():
        _tend(work, _Open(row.id, row.cause, row.state, row.let_go_at, row.let_go))


def decide(
    work: Work,
    incident: int,
    wish: Wish,
    by: By,
    *,
    from_at: int | None = None,
    groups: Collection[str] | None = None,
) -> Before:
    """Let a person choose: `released`, all are let go at the set rate; `dropped`, all are cancelled. Give how it stood.

    Nobody is let go or cancelled before `from_at`: until then it can be taken back (None: from now on).
    """
    row = look_up(work, incident, groups)
    changed = {"state": wish, "let_go_at": work.now if from_at is None else from_at}
    _decided(work, incident, row.cause, by, wish, changed)
    return row


def take_back(work: Work, incident: int, before: Before, by: By) -> None:
    """Let an incident stand as it did before a person decided about it."""
    row = look_up(work, incident)
    _decided(work, incident, row.cause, by, "undone", {"state": before.state, "let_go_at": before.let_go_at})


def look_up(work: Work, incident: int, groups: Collection[str] | None = None) -> Before:
    """How an open incident of these groups of queues stands; it is locked. NoSuchIncident where there is none."""
    mine = select(_I.cause, _I.state, _I.let_go_at).where(_I.id == incident, _I.pbx == work.pbx, t.INCIDENT_OPEN)
    row = work.connection.execute(mine.where(*of_groups(work.site, groups)).with_for_update()).first()
    if row is None:
        raise NoSuchIncident(f"there is no open incident {incident} on {work.pbx}; `callback incident list` shows them")
    return Before(*row)


def _decided(work: Work, incident: int, cause: str, by: By, action: str, changed: dict[str, Any]) -> None:
    work.connection.execute(update(t.incident).where(_I.id == incident).values(**changed))
    facts = {"incident": incident, "cause": cause}
    audit.add(work.connection, work.pbx, by, f"incident-{action}", None, facts, work.now)
    work.tell(IncidentChanged(incident, cause, changed["state"], who=by.who, why=by.why))


def _begin(work: Work, cause: str, lost_at: int, incident: Incident) -> tuple[int, int]:
    """Begin an incident, and give its number and how many losses that led to it were taken in."""
    values = {"pbx": work.pbx, "cause": cause, "state": incident.state, "open": True, "opened_at": work.now}
    row = insert(t.incident).values(**values, let_go=0, last_lost_at=lost_at, losses=1).returning(_I.id)
    number = int(work.connection.execute(row).scalar_one())
    taken = _take_in(work, number, incident, cause, lost_at)
    work.connection.execute(update(t.incident).where(_I.id == number).values(losses=_I.losses + taken))
    return number, taken


def _take_in(work: Work, number: int, incident: Incident, cause: str, lost_at: int) -> int:
    """Give the incident the losses of its cause lately that have none, and hold who suffered them."""
    for reservation in incident.others:
        _hold(work, number, reservation)
    since = lost_at - work.site.rules.incident_terms().window_s * SECOND
    lately = (_L.pbx == work.pbx, _L.cause == cause, _L.lost_at > since)
    free = update(t.loss).where(*lately, _L.incident_id.is_(None)).values(incident_id=number)
    return work.connection.execute(free).rowcount


def _tend(work: Work, row: _Open) -> None:
    terms = work.site.rules.incident_terms()
    anybody = work.connection.execute(select(_R.id).where(_R.incident_id == row.id, t.IN_INCIDENT).limit(1)).first()
    lately = _lately(work, row.cause, work.now, terms)
    state = rule.after_time(row.state, lately, terms, anybody=anybody is not None)
    changed: dict[str, Any] = {"state": state} if state != row.state else {}
    if state == "over":
        changed |= {"open": False, "ended_at": work.now}
    elif state == "dropped":
        if row.let_go_at is None or row.let_go_at <= work.now:
            _drop(work, row.id)
    elif state in {"draining", "released"}:
        since = work.now if row.let_go_at is None or row.state != state else row.let_go_at
        count, up_to = rule.let_go(since, work.now, terms.drain_per_min)
        gone = _let_go(work, row.id, count)
        if changed or up_to != row.let_go_at:
            changed |= {"let_go_at": up_to, "let_go": row.let_go + gone}
    if changed:
        work.connection.execute(update(t.incident).where(_I.id == row.id).values(**changed))
    if state != row.state:
        work.tell(IncidentChanged(row.id, row.cause, state))


def _let_go(work: Work, incident: int, count: int) -> int:
    """Let so many wait again and be texted: first those whose promise can be kept, the nearest deadline first."""
    held = RESERVATIONS.where(_R.incident_id == incident, t.IN_INCIDENT, _R.state == "held")
    held = held.with_for_update(of=t.reservation, skip_locked=True)  # not whom a person decides about now
    ahead = held.where(_R.deadline_at > work.now).order_by(_R.deadline_at).limit(count)
    rows = read(work.connection, ahead) if count else []
    late = held.where(_R.deadline_at <= work.now).order_by(_R.deadline_at).limit(count - len(rows))
    rows += read(work.connection, late) if len(rows) < count else []
    for row in rows:
        moves.move(work, row.id, "resumed")
        broken_promises.give_time(work, row)
        if row.deadline_at > work.now and not compose.promised(work.connection, row.id):
            to, pledge = compose.recipient(work.connection, row.id), promises.in_force(work.connection, row.id)
            told_at = compose.morning(work, to.e164, to.trunk)  # the grace counts from then
            compose.explain(work, to, replace(_last_loss(work.connection, row.id), lost_at=told_at), pledge)
    return len(rows)


def _drop(work: Work, incident: int) -> None:
    """Owe those whom it holds nothing more: some at each tick, so that nobody else waits long for the database."""
    held = select(_R.id).where(_R.incident_id == incident, t.IN_INCIDENT, _R.state == "held")
    some = held.limit(DROPPED_A_TICK).with_for_update(skip_locked=True)
    for reservation in work.connection.execute(some).scalars().all():
        moves.move(work, reservation, "cancelled")
        compose.withdraw(work, reservation, "its incident was dropped by a person")


def _last_loss(connection: Connection, reservation: int) -> Loss:
    """The last loss of a reservation, by its newest verdict."""
    last = connection.execute(_LAST, {"of_reservation": reservation}).one()
    how = (last.kind, last.reason, last.side, last.waited_us / SECOND)
    return Loss(last.call_id, last.queue, *how, last.started_at, last.lost_at)
