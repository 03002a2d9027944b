"""What an agent's page shows at one moment: who is on the line, how it went, who comes next, or why nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, or_

from callback.accounts.roles import Groups
from callback.accounts.users import find
from callback.attempts import snapshot
from callback.attempts.agent_states import Agent
from callback.attempts.snapshot import Live
from callback.care import customer_notes
from callback.care.cases import Case
from callback.care.customer_notes import CustomerNote
from callback.reports.agent import scripts, talks
from callback.reports.agent.scripts import Spoken
from callback.reports.agent.talks import LastTalk, Talk
from callback.reports.care import cases
from callback.reports.care.cases import Clock
from callback.reports.queue.board import Queue
from callback.reports.queue.lanes import MAY_BE_CALLED, Found
from callback.reports.queue.rows import Row
from callback.reports.queue.wanted import Wanted
from callback.reports.queue.why import stopped_by
from callback.reservations import slots
from callback.reservations.reservation import RESERVATIONS, Reservation, read, read_one
from callback.reservations.told import ASKED_US
from callback.site.work import Work
from callback.store import tables as t
from scheduler.candidate import LANES as NEXT
from scheduler.clock import begins, local

ASSIGNED: Final = 20
"""Callbacks that are listed as assigned to one person."""
_WAITS: Final = {*NEXT, "pacing"}
"""Words of a callback that comes when others before it are done: nothing but its turn is in the way."""
_R = t.reservation.c
_ASSIGNED = (
    RESERVATIONS.where(t.ASSIGNED, _R.pbx == bindparam("of_pbx"), _R.assigned_to == bindparam("user"))
    .order_by(_R.deadline_at)
    .limit(ASSIGNED)
)
_SPARE = (
    RESERVATIONS.where(t.OPEN, _R.pbx == bindparam("of_pbx"), _R.state == "waiting", _R.kind == t.FOLLOW_UP)
    .where(_R.not_before_at <= bindparam("now"), _R.queue.in_(bindparam("queues", expanding=True)))
    .where(
        or_(
            _R.agent.is_(None),
            _R.agent.in_(bindparam("names", expanding=True)),
            _R.agent_until_at <= bindparam("now"),
        )
    )
    .order_by(_R.aim_at, _R.id)
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Phone:
    """An agent's phone: by which names the PBX knows it, and what it does now, as far as the PBX was heard."""

    user: str
    phone: str
    agent: Agent | None
    names: frozenset[str]
    queues: frozenset[str]


@dataclass(frozen=True, slots=True)
class OnTheLine:
    """The callback that the phone is in; `last` is what was said when that customer was spoken to before.

    `manner` is how to speak with the customer, where people wrote that down.
    """

    row: Row
    last: LastTalk | None
    manner: CustomerNote | None


@dataclass(frozen=True, slots=True)
class Next:
    """Whom the dispatcher would call first in the agent's queues; `for_you`: nobody else would take it."""

    row: Row
    for_you: bool
    manner: CustomerNote | None


@dataclass(frozen=True, slots=True)
class OwnCase:
    """A case that is the agent's own, with its clock."""

    case: Case
    clock: Clock


@dataclass(frozen=True, slots=True)
class Nothing:
    """Why nobody comes: a word of `why.WORDS`, or "none" where no callback is owed in the agent's queues.

    So many callbacks wait there, so many callers, and so many agents are free.
    """

    word: str
    callbacks: int
    callers: int
    free: int


@dataclass(frozen=True, slots=True)
class Desk:
    """All of it. `asked` and `said` are talks, the newest first; `times` are offered for the first one.

    `cases` are the agent's own; `registers`: whether a queue of the agent's groups takes some.
    """

    phone: Phone
    line: OnTheLine | None
    asked: tuple[Talk, ...]
    said: tuple[Talk, ...]
    times: tuple[int, ...]
    next: Next | None
    nothing: Nothing | None
    assigned: tuple[Row, ...]
    cases: tuple[OwnCase, ...]
    registers: bool
    today: Mapping[str, int]
    now: int
    scripts: Mapping[int, Spoken]  # of those on the line, next and of today that no lost call made


def phone_of(work: Work, user: str) -> Phone:
    """The phone of a person, by what the PBX shows of it. A name that two phones have is no name of either."""
    account = find(work.connection, user)
    phone = "" if account is None else account.profile.phone
    picture = snapshot.recall(work.connection, work.pbx)
    agents = () if picture is None else picture[0].agents or ()
    agent = next((one for one in agents if phone and one.phone == phone), None)
    names = {phone} if phone else set()
    if agent is not None and sum(one.name == agent.name for one in agents) == 1:
        names.add(agent.name)
    return Phone(user, phone, agent, frozenset(names), frozenset(agent.queues) if agent is not None else frozenset())


def look(queue: Queue, user: str, groups: Groups) -> Desk:
    """Look at the desk of a person who may see the queues of these groups."""
    work = queue.work
    phone = phone_of(work, user)
    today_at = begins(local(work.now, work.site.hours.zone).date(), work.site.hours.zone)
    every = talks.since(work, phone.names, min(today_at, work.now - ASKED_US))
    asked = tuple(talk for talk in every if talk.is_asked(work.now))
    today = [talk for talk in every if talk.ended_at >= today_at]
    following, nothing = _next(queue, phone, groups)
    assigned = read(work.connection, _ASSIGNED, {"of_pbx": work.pbx, "user": user})
    line = _on_the_line(queue, phone, groups)
    spoken = [one.row.reservation for one in (line, following) if one is not None]
    return Desk(
        phone=phone,
        line=line,
        asked=asked,
        said=tuple(talk for talk in every if talk.may_be_changed(work.now)),
        times=_times(work, asked[0]) if asked else (),
        next=following,
        nothing=nothing,
        assigned=tuple(queue.by_id([row.id for row in assigned], groups)),
        cases=_cases(work, phone, groups),
        registers=bool(cases.queues(work, groups)),
        today=talks.counted(today, work.now),
        now=work.now,
        scripts=scripts.of(work, [*spoken, *(talk.reservation for talk in every)]),
    )


def shown(seen: Desk) -> frozenset[int]:
    """The reservations that stand on a desk."""
    rows = [*seen.assigned, *(one.row for one in (seen.line, seen.next) if one is not None)]
    return frozenset(row.reservation for row in rows) | {talk.reservation for talk in (*seen.asked, *seen.said)}


def _on_the_line(queue: Queue, phone: Phone, groups: Groups) -> OnTheLine | None:
    found = talks.on_the_line(queue.work, phone.names)
    if found is None:
        return None
    rows = queue.by_id([found[0]], groups)
    if not rows:
        return None
    return OnTheLine(rows[0], talks.last_with(queue.work, found[1]), _manner(queue.work, found[1]))


def _manner(work: Work, person: int) -> CustomerNote | None:
    return customer_notes.read(work.connection, [person]).get(person)


def _cases(work: Work, phone: Phone, groups: Groups) -> tuple[OwnCase, ...]:
    care = work.site.rules.care
    found = cases.of_agent(work, {phone.user, *phone.names}, groups)
    return tuple(OwnCase(one, cases.clock_of(one, care, work.now)) for one in found)


def _times(work: Work, talk: Talk) -> tuple[int, ...]:
    """Quarters of an hour at which the customer may be called again."""
    row = read_one(work.connection, talk.reservation)
    return () if row is None else tuple(slots.free(work, row, row.e164, slots.QUARTER))


def _next(queue: Queue, phone: Phone, groups: Groups) -> tuple[Next | None, Nothing | None]:
    picture = snapshot.recall(queue.work.connection, queue.work.pbx)
    stopped = stopped_by(picture, queue.work.now)
    if picture is None or stopped is not None:
        return None, Nothing(stopped or "service-not-running", 0, 0, 0)
    first = _first(queue, phone, groups)
    if first is None:
        spare = _in_spare_time(queue, phone, groups)
        return spare, None if spare is not None else _nothing(queue, "none", phone, picture[0])
    (row,) = queue.rows([first])
    if row.why.word not in _WAITS:
        return None, _nothing(queue, row.why.word, phone, picture[0])
    alone = picture[0].free.get(row.queue, frozenset()) == {phone.phone}
    theirs = first.row.agent in phone.names or row.assigned_to == phone.user
    manner = _manner(queue.work, first.row.person_id)
    return Next(row, alone or theirs, manner), None


def _first(queue: Queue, phone: Phone, groups: Groups) -> Found | None:
    """The first callback of the agent's queues, in the dispatcher's order, among the first of each lane.

    One that another agent alone is to make is nothing for this one.
    """
    for lane in MAY_BE_CALLED:
        for found in queue.heads[lane]:
            theirs = groups is None or found.row.queue_group in groups
            if theirs and found.row.queue in phone.queues and not _is_anothers(found.row, phone, queue.work.now):
                return found
    return None


def _in_spare_time(queue: Queue, phone: Phone, groups: Groups) -> Next | None:
    """What no lost call made is called when nobody who was lost waits, and its agent is free."""
    work = queue.work
    asked = {"of_pbx": work.pbx, "now": work.now, "queues": sorted(phone.queues), "names": sorted(phone.names)}
    found = next(iter(read(work.connection, _SPARE, asked)), None)
    rows = [] if found is None else queue.by_id([found.id], groups)
    if found is None or not rows:
        return None
    theirs = found.agent in phone.names or found.assigned_to == phone.user
    return Next(rows[0], theirs, _manner(work, found.person_id))


def _is_anothers(row: Reservation, phone: Phone, now: int) -> bool:
    return row.agent is not None and row.agent not in phone.names and now < (row.agent_until_at or 0)


def _nothing(queue: Queue, word: str, phone: Phone, live: Live) -> Nothing:
    by_lane = queue.counts(Wanted(queues=phone.queues)).by_lane if phone.queues else {}
    waiting = sum(by_lane.get(lane, 0) for lane in MAY_BE_CALLED)
    callers = sum(live.waiting.get(name, 0) for name in phone.queues)
    free = frozenset[str]().union(*(live.free.get(name, frozenset()) for name in phone.queues))
    return Nothing(word, waiting, callers, len(free))
