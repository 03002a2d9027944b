"""What SQL tells of a site: each figure by an index, of rows that are open, waiting or few."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, func, select
from sqlalchemy import text as literal

from callback.attempts import lanes, snapshot, trunks
from callback.attempts.snapshot import CLOCKS_OFF
from callback.cluster import line, nodes
from callback.events import KINDS
from callback.operations.health import bytes_of
from callback.operations.metrics.families import ALARMS, BY_NAME, TALLIED
from callback.operations.metrics.sample import Sample
from callback.site.work import Work
from callback.store import schema, tally
from callback.store import tables as t
from callback.store.engine import clock
from scheduler.clock import SECOND
from scheduler.retry import OUTCOMES
from sms.outbox import text_outbox
from sms.tables import WAITING
from telephony.calls.call import LOST

MOST: Final = 10_000
"""No more rows of a list are counted: it is as bad as it can be."""
STOPS: Final = ("pbx-not-connected", *CLOCKS_OFF)
_PBX: Final[Any] = bindparam("of_pbx")
_NOW: Final[Any] = bindparam("now")
_O = text_outbox.c
_L = t.lease.c


def _count(what: Select[Any]) -> Select[Any]:
    """Count so many rows at most."""
    return select(func.count()).select_from(what.limit(MOST).subquery())


_LEFT_ROWS: Final = select(t.reservation.c.id).where(t.LEFT_TO_PEOPLE, t.reservation.c.pbx == _PBX)
_LEFT: Final = _count(_LEFT_ROWS.order_by(t.reservation.c.state_since_at))  # so that their own index is taken
_ANSWERS: Final = _count(select(t.answer.c.id).where(t.FOR_PEOPLE, t.answer.c.pbx == _PBX))
_INCIDENTS: Final = _count(select(t.incident.c.id).where(t.INCIDENT_OPEN, t.incident.c.pbx == _PBX))
_WAITING: Final = _count(select(_O.id).where(WAITING, _O.pbx == _PBX))
_DUE_WHERE: Final = (WAITING, _O.pbx == _PBX, _O.not_before_at <= _NOW, _O.expires_at > _NOW)
_DUE: Final = _count(select(_O.id).where(*_DUE_WHERE))
_OLDEST: Final = select(_O.not_before_at).where(*_DUE_WHERE).order_by(_O.not_before_at, _O.id).limit(1)
_LEASES: Final = select(_L.name, _L.host, _L.fence, _L.until_at).where(_L.name.in_(bindparam("names", expanding=True)))
_TROUBLES: Final = select(t.trouble.c.name, t.trouble.c.about).where(t.trouble.c.pbx == _PBX)
_UNCOUNTED: Final = literal(
    "SELECT COALESCE((SELECT MAX(id) FROM happened), 0) - COALESCE((SELECT MAX(reached_id) FROM tally_place), 0)"
)
_COUNTED: Final[dict[str, Select[Any]]] = {
    "lcr_reservations_left_to_people": _LEFT,
    "lcr_answers_open": _ANSWERS,
    "lcr_incidents_open": _INCIDENTS,
    "lcr_texts_waiting": _WAITING,
    "lcr_texts_due": _DUE,
}


def look(work: Work) -> Iterator[Sample]:
    """Measure it."""
    for part in _PARTS:
        yield from part(work)


def _tallies(work: Work) -> Iterator[Sample]:
    """What was counted, and 0 of what may come: the first of a counter that is not there yet would raise nothing."""
    found = dict.fromkeys(_may_come(work), 0)
    for one, total in tally.totals(work.connection, work.pbx).items():
        found[one.name, one.labels] = total
    for (name, labels), total in found.items():
        if name in BY_NAME:
            yield Sample(name, total, labels)


def _may_come(work: Work) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield from ((family.name, ()) for family in TALLIED if not family.labels)
    yield from ((ALARMS.name, (name,)) for name, kind in KINDS.items() if kind.ALARMING)
    yield from (("lcr_attempts_ended_total", (outcome,)) for outcome in OUTCOMES)
    for queue in work.site.rules.named():
        yield from (("lcr_lost_calls_total", (queue, kind)) for kind in sorted(LOST))
        yield from ((name, (queue,)) for name in ("lcr_promises_broken_total", "lcr_attempts_begun_total"))


def _lists(work: Work) -> Iterator[Sample]:
    asked = {"of_pbx": work.pbx, "now": work.now}
    for name, statement in _COUNTED.items():
        yield Sample(name, float(work.connection.execute(statement, asked).scalar_one()))
    oldest = work.connection.execute(_OLDEST, asked).scalar()
    yield Sample("lcr_texts_due_seconds", 0.0 if oldest is None else (work.now - oldest) / SECOND)


def _attempts(work: Work) -> Iterator[Sample]:
    every = lanes.in_flight(work.connection)  # of all PBXs: so they are found by the index of those in flight
    flights = [one for one in every if one.pbx == work.pbx]
    yield Sample("lcr_attempts_in_flight", len(flights))
    resting = trunks.rests(work, flights)
    for trunk in work.site.trunks:
        yield Sample("lcr_trunk_resting", trunk in resting, (trunk,))


def _picture(work: Work) -> Iterator[Sample]:
    found = snapshot.recall(work.connection, work.pbx)
    if found is None:
        return
    live, seen_at = found
    yield Sample("lcr_picture_age_seconds", max(0.0, (work.now - seen_at) / SECOND))
    for why in STOPS:
        yield Sample("lcr_dialling_stopped", live.closed == why, (why,))
    for queue, many in live.waiting.items():
        yield Sample("lcr_callers_waiting", many, (queue,))
    for queue, agents in live.free.items():
        yield Sample("lcr_agents_free", len(agents), (queue,))


def _line(work: Work) -> Iterator[Sample]:
    ago_s = line.seen_s_ago(work.connection, work.pbx)
    if ago_s is not None:
        yield Sample("lcr_line_age_seconds", max(0.0, ago_s))


def _leases(work: Work) -> Iterator[Sample]:
    now = clock(work.connection)
    names = [f"pbx:{work.pbx}", f"text:{work.pbx}"]
    for name, host, fence, until_at in work.connection.execute(_LEASES, {"names": names}):
        yield Sample("lcr_lease_term", fence, (name,))
        yield Sample("lcr_lease_left_seconds", (until_at - now) / SECOND, (name,))
        yield Sample("lcr_lease_holder", until_at > now, (name, host))


def _database(work: Work) -> Iterator[Sample]:
    yield Sample("lcr_database_bytes", bytes_of(work.connection))
    yield Sample("lcr_schema_info", 1, (schema.revision_of(work.connection) or "",))
    yield Sample("lcr_feed_uncounted_events", max(0, _scalar(work.connection)))
    seen_from = clock(work.connection)
    for node in nodes.listed(work.connection):
        if node.pbx == work.pbx:
            yield Sample("lcr_node_seen_seconds", (seen_from - node.seen_at) / SECOND, (node.name, str(node.role)))
    for name, about in work.connection.execute(_TROUBLES, {"of_pbx": work.pbx}):
        yield Sample("lcr_trouble", 1, (name, about))


def _scalar(connection: Connection) -> int:
    return int(connection.execute(_UNCOUNTED).scalar_one())


_PARTS: Final[tuple[Callable[[Work], Iterator[Sample]], ...]] = (
    _tallies,
    _lists,
    _attempts,
    _picture,
    _line,
    _leases,
    _database,
)
