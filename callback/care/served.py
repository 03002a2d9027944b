"""Calls that were served, found in the feed as they are judged, and whom of their customers to ask about them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, bindparam, delete, insert, select, update

from callback.events import CallJudged, Happened
from callback.site.context import Site
from callback.site.work import Work
from callback.store import feed, restored
from callback.store import tables as t
from callback.store.feed import Reader
from callback.texts import asking
from callback.texts.asking import Service
from scheduler.clock import HOUR

ASKED_WITHIN_US: Final = HOUR
"""A call that ended longer ago is asked about no more: the customer would wonder which one is meant."""
_WORD: Final = 8  # bytes of a hash, of which a share is taken
_C, _V, _J, _P = t.call.c, t.queue_visit.c, t.verdict.c, t.person.c
_newer = t.verdict.alias()
_PLACE = select(t.survey_place.c.reached_id).where(t.survey_place.c.pbx == bindparam("of_pbx"))
# By the key of calls alone: so many as were judged since the last look.
_SERVED: Final[Select[Any]] = (
    select(_C.call_id, _C.ended_at, _C.person_id, _P.number, _P.shared)
    .join(t.person, _P.id == _C.person_id)
    .join(t.verdict, (_J.pbx == _C.pbx) & (_J.call_id == _C.call_id) & (_J.kind == "served"))
    .outerjoin(_newer, (_newer.c.pbx == _J.pbx) & (_newer.c.call_id == _J.call_id) & (_newer.c.version > _J.version))
    .where(_C.pbx == bindparam("of_pbx"), _C.call_id.in_(bindparam("calls", expanding=True)))
    .where(_C.ended_at > bindparam("since"), _newer.c.call_id.is_(None))
    .order_by(_C.call_id)
)
_LAST_VISIT = (
    select(_V.queue, _V.agent)
    .where(_V.pbx == bindparam("of_pbx"), _V.call_id == bindparam("of_call"), _V.connected_at.is_not(None))
    .order_by(_V.connected_at.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Served:
    """A call that was served: by whom last, and in which queue."""

    call_id: str
    person: int
    e164: str
    shared: bool
    queue: str
    agent: str | None


def is_asked(site: Site) -> bool:
    """Whether a queue asks after calls that were served."""
    return any(queue.care.ask_served for queue in site.rules.queues.values())


def begin(work: Work) -> Reader | None:
    """Read the feed from where it was read to; None while no queue asks, and what ends until one does is not asked."""
    if not is_asked(work.site):
        work.connection.execute(delete(t.survey_place).where(t.survey_place.c.pbx == work.pbx))
        return None
    place = work.connection.execute(_PLACE, {"of_pbx": work.pbx}).scalar_one_or_none()
    if place is None:
        place = feed.end(work.connection)
        work.connection.execute(insert(t.survey_place).values(pbx=work.pbx, reached_id=place))
    return Reader(work.pbx, place)


def ask(work: Work, reader: Reader) -> int:
    """Ask about what was served since the last look, some at a time; give how many events were read.

    To look again at what was looked at changes nothing: nobody is asked twice about one call.
    """
    happened = reader.read(work.connection)
    work.connection.execute(
        update(t.survey_place).where(t.survey_place.c.pbx == work.pbx).values(reached_id=reader.after)
    )
    if restored.pending(work.connection, work.pbx) is None:
        for one in _served(work, _judged_served(happened)):
            _ask_about(work, one)
    return len(happened)


def in_share(call_id: str, share: float) -> bool:
    """Whether a call is one of that share of all: it follows from its id alone."""
    word = hashlib.sha256(call_id.encode()).digest()[:_WORD]
    return int.from_bytes(word) < share * (1 << 8 * _WORD)


def _ask_about(work: Work, served: Served) -> None:
    care = work.site.rules.queue(served.queue).care
    if not care.ask_served or served.shared or not in_share(served.call_id, care.ask_share):
        return
    if not asking.may_be_asked(work, served.person):
        return
    about = f"call/{served.call_id}"
    service = Service(
        kind="call",
        about=about,
        queue=served.queue,
        person=served.person,
        e164=served.e164,
        agent=served.agent,
    )
    asking.ask(work, service)


def _judged_served(happened: Iterable[Happened]) -> list[str]:
    events = (one.event for one in happened)
    return [event.call_id for event in events if isinstance(event, CallJudged) and event.kind == "served"]


def _served(work: Work, calls: list[str]) -> list[Served]:
    asked = {"of_pbx": work.pbx, "calls": calls, "since": work.now - ASKED_WITHIN_US}
    rows = work.connection.execute(_SERVED, asked).all() if calls else []
    found = []
    for row in rows:
        visit = work.connection.execute(_LAST_VISIT, {"of_pbx": work.pbx, "of_call": row.call_id}).first()
        if visit is not None:
            found.append(Served(row.call_id, row.person_id, row.number, row.shared, visit.queue, visit.agent))
    return found
