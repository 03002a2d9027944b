"""Whom a campaign tells: everybody who was hit, by calls or by a file, and who of them is left out, with the reason.

All of it is done by the database, some statements for however many there are. What a number may get is looked at once
more when its text is written, and again when it leaves: what stands here says how many it will be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, Literal, TypeVar

from sqlalchemy import ColumnElement, Select, and_, case, delete, func, insert, literal, or_, select, update
from sqlalchemy.orm import aliased

from callback.campaigns.campaign import CAMPAIGNS, Campaign, read
from callback.campaigns.criteria import LOSSES, Criteria
from callback.customers import blocks, numbers, persons
from callback.site.context import Site
from callback.site.work import Work
from callback.store import tables as t
from callback.store.engine import with_room, without_limits
from callback.store.inserting import insert_all_new
from telephony.calls.call import LEFT_UNSERVED

LeftOut = Literal["erased", "shared", "landline", "opted-out", "told-already", "only-numbers", "never-in-hours"]
"""Why somebody of an audience is not told."""
Named = tuple[str, str, str]
"""What a file says of somebody: the number (E.164), the segment, the language (empty: that of the queue)."""

AT_ONCE: Final = 5000
_T = TypeVar("_T")
_A, _P, _C, _V = t.campaign_person.c, t.person.c, t.call.c, t.verdict.c
_LATER = aliased(t.verdict)
_NEWER: Final = (
    select(literal(1))
    .where(_LATER.c.pbx == _V.pbx, _LATER.c.call_id == _V.call_id, _LATER.c.version > _V.version)
    .exists()
)
_COLUMNS: Final = ["campaign_id", "person_id", "segment", "state", "why"]


def build(work: Work, one: Campaign) -> int:
    """Gather the audience anew and leave out who is not to be told; give how many it has in all."""
    connection, mine = work.connection, _A.campaign_id == one.id
    without_limits(connection)  # it is in nobody's way, and may be about very many
    with_room(connection)
    connection.execute(delete(t.campaign_person).where(mine, ~_A.of_file))
    if one.criteria.calls:
        connection.execute(insert(t.campaign_person).from_select(_COLUMNS, hit(work, one)))
    _judge_named(work, one)
    _judge_numbers(work, one)
    return _count(work, one)


def hit(work: Work, one: Campaign) -> Select[Any]:
    """The lost callers whom the criteria name, each once, and not those whom a file named: a row of the audience each.

    Somebody who was lost in several queues is of the first of them by name.
    """
    named = select(_A.person_id).where(_A.campaign_id == one.id)
    callers = (
        select(_C.person_id, func.min(func.coalesce(_C.queue, one.queue)).label("segment"))
        .join(t.verdict, and_(_V.pbx == _C.pbx, _V.call_id == _C.call_id))
        .where(_C.pbx == work.pbx, _C.person_id.is_not(None), _C.person_id.not_in(named), ~_NEWER)
        .where(*_conditions(work.site, one.criteria))
        .group_by(_C.person_id)
        .subquery()
    )
    why = _why_not(work, one)
    columns = (literal(one.id), callers.c.person_id, callers.c.segment, _state(why), why)
    # In the order of the table's indexes: to write them takes a third of the time
    return select(*columns).join_from(callers, t.person, callers.c.person_id == _P.id).order_by(callers.c.person_id)


def _conditions(site: Site, criteria: Criteria) -> Iterator[ColumnElement[bool]]:
    yield and_(_C.started_at >= criteria.from_at, _C.started_at < criteria.until_at)
    lost = _V.kind.in_(criteria.kinds or LOSSES)
    yield lost if criteria.kinds else or_(lost, and_(_V.kind == "unknown", _V.reason == LEFT_UNSERVED))
    if criteria.queues:
        yield _C.queue.in_(criteria.queues)
    if criteria.trunks:
        yield _trunk(site).in_(criteria.trunks)
    if criteria.incident is not None:
        cause = select(t.incident.c.cause).where(t.incident.c.id == criteria.incident).scalar_subquery()
        mine = (t.loss.c.pbx == site.pbx, t.loss.c.cause == cause, t.loss.c.incident_id == criteria.incident)
        yield _C.call_id.in_(select(t.loss.c.call_id).where(*mine))


def _trunk(site: Site) -> ColumnElement[str]:
    """The trunk a call came in on, as the site names it: the longest beginning that fits, else the first one named."""
    longest = sorted(site.trunks, key=lambda name: len(site.trunks[name].channel), reverse=True)
    fits = [(_C.channel.startswith(site.trunks[name].channel, autoescape=True), literal(name)) for name in longest]
    return case(*fits, else_=next(iter(site.trunks)))


def name(work: Work, one: Campaign, named: Sequence[Named]) -> int:
    """Take people whom a file names into the audience, each once, by its last line; give how many are new in it.

    They stay in it however often it is built.
    """
    by_number = {e164: (segment, language) for e164, segment, language in named}
    before = _count(work, one)
    for some in _portions(by_number):
        ids = persons.persons_of(work.connection, some, work.now)
        rows = [_named(one, ids[e164], *by_number[e164]) for e164 in some]
        theirs = and_(_A.campaign_id == one.id, _A.person_id.in_(list(ids.values())))
        work.connection.execute(delete(t.campaign_person).where(theirs))
        insert_all_new(work.connection, t.campaign_person, rows)
    return _count(work, one) - before


def _named(one: Campaign, person: int, segment: str, language: str) -> dict[str, Any]:
    said = {"segment": segment or one.queue, "language": language, "of_file": True}
    return {"campaign_id": one.id, "person_id": person, "state": "waiting", **said}


def forget_named(work: Work, one: Campaign) -> int:
    """Take out whom files named; give how many these were."""
    theirs = delete(t.campaign_person).where(_A.campaign_id == one.id, _A.of_file)
    return work.connection.execute(theirs).rowcount


def same_event(work: Work, one: Campaign) -> list[int]:
    """The other campaigns that are about the same losses, and told somebody."""
    told = CAMPAIGNS.where(t.campaign.c.pbx == work.pbx, t.campaign.c.id != one.id, t.campaign.c.told > 0)
    return [other.id for other in read(work, told) if other.criteria.meets(one.criteria)]


def told_by(campaigns: Sequence[int]) -> Select[Any]:
    """The persons whom one of these campaigns told."""
    return select(_A.person_id).where(_A.campaign_id.in_(campaigns), _A.state == "told")


def leave_out(work: Work, one: Campaign, why: LeftOut, people: Iterable[int]) -> None:
    """Let these people of the audience not be told."""
    for some in _portions(people):
        theirs = (_A.campaign_id == one.id, _A.person_id.in_(some), _A.state == "waiting")
        work.connection.execute(update(t.campaign_person).where(*theirs).values(state="left-out", why=why))


def _why_not(work: Work, one: Campaign) -> ColumnElement[str]:
    """Why a person is not told, by what stands in the database; empty: nothing there says so."""
    only = work.site.rules.queue(one.queue).only_numbers
    reasons: list[tuple[ColumnElement[bool], str]] = [
        (_P.number.not_like("+%"), "erased"),
        (_P.shared, "shared"),
        (_P.takes_texts.is_(False), "landline"),
    ]
    if others := same_event(work, one):
        reasons.append((_P.id.in_(told_by(others)), "told-already"))
    if only:
        reasons.append((_P.number.not_in(only), "only-numbers"))
    return case(*((condition, literal(why)) for condition, why in reasons), else_=literal(""))


def _state(why: ColumnElement[str]) -> ColumnElement[str]:
    return case((why == literal(""), literal("waiting")), else_=literal("left-out"))


def _judge_named(work: Work, one: Campaign) -> None:
    """Say of those whom files named whether they are told: they stay in the audience however often it is built."""
    why = _why_not(work, one)
    theirs = update(t.campaign_person).where(_A.campaign_id == one.id, _A.of_file, _A.person_id == _P.id)
    work.connection.execute(theirs.values(state=_state(why), why=why, not_before_at=0))


def _judge_numbers(work: Work, one: Campaign) -> None:
    """Leave out whose number says so: who wants no texts (known by a keyed hash alone), and landlines.

    Which numbers take texts is worked out here where nobody has yet, and kept.
    """
    silenced = blocks.silenced(work.connection)
    asked = select(_P.id, _P.number, _P.takes_texts).join(t.campaign_person, _A.person_id == _P.id)
    asked = asked.where(_A.campaign_id == one.id, _A.state == "waiting")
    if silenced is None:
        asked = asked.where(_P.takes_texts.is_(None))
    opted_out: list[int] = []
    judged: dict[bool, list[int]] = {True: [], False: []}
    for person, e164, takes_texts in work.connection.execute(asked):
        if takes_texts is None:
            judged[numbers.takes_texts(e164)].append(person)
        if silenced is not None and silenced(e164):
            opted_out.append(person)
    for takes, people in judged.items():
        for some in _portions(people):
            work.connection.execute(update(t.person).where(_P.id.in_(some)).values(takes_texts=takes))
    leave_out(work, one, "opted-out", opted_out)
    leave_out(work, one, "landline", judged[False])


def _count(work: Work, one: Campaign) -> int:
    mine = select(func.count()).select_from(t.campaign_person).where(_A.campaign_id == one.id)
    return int(work.connection.execute(mine).scalar_one())


def _portions(many: Iterable[_T]) -> Iterator[list[_T]]:
    rest = iter(many)
    while some := list(islice(rest, AT_ONCE)):
        yield some
