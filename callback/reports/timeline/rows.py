"""Reads the rows behind a timeline: of some calls and reservations, each table once, by its indexes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, bindparam, select

from callback.reports.timeline import evidence
from callback.reports.timeline.entries import (
    Alarmed,
    Answered,
    Called,
    Choice,
    Counted,
    Decided,
    Entry,
    IncidentChanged,
    Judged,
    Promised,
    Texted,
    Told,
    Tried,
    Visited,
)
from callback.site.context import Site
from callback.store import audit
from callback.store import tables as t
from callback.texts import compose

TOLD: Final = ("put-first", "rests-after-own-call", "returned", "expired", "cancelled", "withdrawn")
"""Events of the feed that no other row tells of."""
_LINK: Final = re.compile(r"https?://\S+")
_C, _V, _Q, _L, _I = t.call.c, t.verdict.c, t.queue_visit.c, t.loss.c, t.incident.c
_P, _A, _W, _H, _R = t.promise.c, t.attempt.c, t.answer.c, t.happened.c, t.reservation.c


def _many(name: str) -> Any:  # noqa: ANN401 - SQLAlchemy does not type the parameters of an IN
    return bindparam(name, expanding=True)


# Made once: to build a statement costs several times what it costs to run it.
_PBX: BindParameter[str] = bindparam("of_pbx")
_CALLS = (
    select(t.call, _L.reservation_id, _L.lost_at, _L.redialled_at, _L.incident_id)
    .outerjoin(t.loss, (_L.pbx == _C.pbx) & (_L.call_id == _C.call_id))
    .where(_C.pbx == _PBX, _C.call_id.in_(_many("calls")))
)
_VERDICTS = select(t.verdict).where(_V.pbx == _PBX, _V.call_id.in_(_many("calls"))).order_by(_V.call_id, _V.version)
_VISITS = select(t.queue_visit).where(_Q.pbx == _PBX, _Q.call_id.in_(_many("calls")))
_INCIDENTS = select(t.incident).where(_I.id.in_(_many("incidents")))
_OF_RESERVATIONS = _many("reservations")
_PROMISES = (
    select(t.promise, (_P.number == _R.promise_number).label("in_force"))
    .join(t.reservation, _R.id == _P.reservation_id)
    .where(_P.reservation_id.in_(_OF_RESERVATIONS))
)
_ATTEMPTS = select(t.attempt).where(_A.reservation_id.in_(_OF_RESERVATIONS))
_ANSWERS = select(t.answer).where(_W.pbx == _PBX)
_ANSWERS_ABOUT = _ANSWERS.where(_W.reservation_id.in_(_OF_RESERVATIONS))
_ANSWERS_OF = _ANSWERS.where(_W.person_id == bindparam("person"))
_EVENTS = select(t.happened).where(
    _H.reservation_id.in_(_OF_RESERVATIONS), _H.reservation_id.is_not(None), _H.name.in_(TOLD)
)
_ALARMS = select(t.happened).where(
    _H.pbx == _PBX, t.ALARMS, _H.at.between(bindparam("since_at"), bindparam("until_at"))
)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a timeline is about: these calls and reservations, and all that was written to and by a `person`, if any.

    Alarms are those of the `groups` of queues between the two instants.
    """

    calls: tuple[str, ...]
    reservations: tuple[int, ...]
    person: int | None = None
    groups: frozenset[str] = frozenset()
    since_at: int = 0
    until_at: int = 0


def entries(connection: Connection, site: Site, scope: Scope) -> Iterator[Entry]:
    """Give every entry, in no order."""
    asked = {"of_pbx": site.pbx, "calls": list(scope.calls)}
    calls = connection.execute(_CALLS, asked).all()
    yield from _calls(site, calls)
    yield from _verdicts(connection, asked, calls)
    yield from _visits(connection, asked, calls)
    yield from _losses(calls)
    yield from _incidents(connection, calls)
    yield from _promises(connection, scope.reservations)
    yield from _attempts(connection, scope.reservations)
    yield from _decisions(connection, scope.reservations, {row.incident_id for row in calls} - {None})
    yield from _texts(connection, scope)
    yield from _answers(connection, site.pbx, scope)
    yield from _events(connection, scope.reservations)
    yield from _alarms(connection, site.pbx, scope)


def _calls(site: Site, calls: Collection[Any]) -> Iterator[Called]:
    redials = {row.redialled_at for row in calls}
    for row in calls:
        about = (row.call_id, row.queue, site.trunk_name(row.channel), row.ended_at, row.started_at in redials)
        yield Called(row.started_at, row.reservation_id, *about)


def _verdicts(connection: Connection, asked: dict[str, Any], calls: Collection[Any]) -> Iterator[Judged]:
    of = {row.call_id: row for row in calls}
    rows = connection.execute(_VERDICTS, asked).all()
    newest = {row.call_id: row.version for row in rows}
    for row in rows:
        call = of[row.call_id]
        over_at = call.ended_at or call.started_at
        yield Judged(
            at=over_at if row.version == 1 else max(over_at, row.judged_at),
            reservation=call.reservation_id,
            call_id=row.call_id,
            queue=call.queue,
            version=row.version,
            newest=row.version == newest[row.call_id],
            source=row.source,
            rank=row.rank,
            kind=row.kind,
            reason=row.reason,
            side=row.side,
            waited_us=row.waited_us,
            talked_us=row.talked_us,
            rules_version=row.rules_version,
            recovery=call.recovery,
            counted=call.reservation_id is not None,
            evidence=evidence.read(row.evidence),
        )


def _visits(connection: Connection, asked: dict[str, Any], calls: Collection[Any]) -> Iterator[Visited]:
    of = {row.call_id: row for row in calls}
    for row in connection.execute(_VISITS, asked):
        waited_until = row.connected_at or row.ended_at
        talked = row.connected_at is not None and row.ended_at is not None
        yield Visited(
            at=row.joined_at,
            reservation=of[row.call_id].reservation_id,
            call_id=row.call_id,
            queue=row.queue,
            ended_by=row.ended_by,
            ended_at=row.ended_at,
            agent=row.agent,
            waited_us=None if waited_until is None else max(0, waited_until - row.joined_at),
            talked_us=max(0, row.ended_at - row.connected_at) if talked else 0,
        )


def _losses(calls: Collection[Any]) -> Iterator[Counted]:
    lost = sorted((row for row in calls if row.lost_at is not None), key=lambda row: row.lost_at)
    known = set[int]()
    for row in lost:
        joined = row.reservation_id in known
        known.add(row.reservation_id)
        yield Counted(row.lost_at, row.reservation_id, row.call_id, joined, row.incident_id, row.redialled_at)


def _incidents(connection: Connection, calls: Collection[Any]) -> Iterator[IncidentChanged]:
    of = {row.incident_id: row.reservation_id for row in calls if row.incident_id is not None}
    for row in connection.execute(_INCIDENTS, {"incidents": sorted(of)}) if of else ():
        about = (of[row.id], row.id, row.cause, row.state, row.losses)
        yield IncidentChanged(row.opened_at, *about, began=True)
        if row.ended_at is not None:
            yield IncidentChanged(row.ended_at, *about, began=False)


def _promises(connection: Connection, reservations: tuple[int, ...]) -> Iterator[Promised]:
    for row in connection.execute(_PROMISES, {"reservations": list(reservations)}):
        times = (row.clock_starts_at, row.aim_at, row.deadline_at)
        about = (row.number, row.reason, *times, row.rules_version, bool(row.in_force))
        yield Promised(row.made_at, row.reservation_id, *about)


def _attempts(connection: Connection, reservations: tuple[int, ...]) -> Iterator[Tried]:
    for row in connection.execute(_ATTEMPTS, {"reservations": list(reservations)}):
        steps = (row.agent_connected_at, row.customer_dialled_at, row.customer_answered_at, row.ended_at)
        ended = (row.outcome, row.counted, row.rules_version)
        heard = evidence.read(row.evidence or ())
        about = (row.number, row.trunk, row.agent, *steps, *ended, _choice(row.decision), heard)
        yield Tried(row.claimed_at, row.reservation_id, *about)


def _choice(decision: dict[str, Any]) -> Choice:
    """Read why an attempt was made; earlier versions kept less."""
    cost = decision.get("cost")
    return Choice(
        why=str(decision.get("why", "")),
        agents=tuple(decision.get("agents", ())),
        of=int(decision.get("of", 1)),
        binds=bool(decision.get("binds", False)),
        cost=None if cost is None else float(cost),
        others=dict(decision.get("others", {})),
    )


def _decisions(connection: Connection, reservations: tuple[int, ...], incidents: set[int]) -> Iterator[Decided]:
    rows = audit.of_reservations(connection, reservations)
    rows += audit.of_incidents(connection, incidents) if incidents else []
    for row in rows:
        yield Decided(row.at, row.reservation_id, row.action, row.who, row.why, row.facts)


def _texts(connection: Connection, scope: Scope) -> Iterator[Texted]:
    for reservation, text in compose.texts_of(connection, scope.person, scope.reservations):
        body = _LINK.sub("…", text.body)  # who has the customer's own link may decide as the customer
        fate = (text.state, text.delivery, text.reason, text.created_at, text.sent_at, text.delivery_at)
        yield Texted(text.at, reservation, text.template, text.language, body, *fate)


def _answers(connection: Connection, pbx: str, scope: Scope) -> Iterator[Answered]:
    if scope.person is None:
        rows = connection.execute(_ANSWERS_ABOUT, {"of_pbx": pbx, "reservations": list(scope.reservations)})
    else:
        rows = connection.execute(_ANSWERS_OF, {"of_pbx": pbx, "person": scope.person})
    for row in rows:
        about = (row.id, row.wish, row.body, row.reply, row.score, row.state, row.done_by, row.done_at)
        yield Answered(row.received_at, row.reservation_id, *about)


def _events(connection: Connection, reservations: tuple[int, ...]) -> Iterator[Told]:
    for row in connection.execute(_EVENTS, {"reservations": list(reservations)}):
        yield Told(row.at, row.reservation_id, row.name, row.facts)


def _alarms(connection: Connection, pbx: str, scope: Scope) -> Iterator[Alarmed]:
    if not scope.groups:
        return
    asked = {"of_pbx": pbx, "since_at": scope.since_at, "until_at": scope.until_at}
    for row in connection.execute(_ALARMS, asked):
        if (group := row.facts.get("group")) in scope.groups:
            told = (row.facts.get(name) for name in ("due", "missed", "more", "until_at"))
            yield Alarmed(row.at, None, group, row.name == "alarm-over", *told)
