"""Telling very many people, a wave after the other, at the rate of the campaign.

The next few texts are written into the outbox when the last ones have left, never more than two seconds of the rate at
a time. Everything is counted in the database in the transaction that writes them, so that whoever goes on after a crash
neither tells anybody twice nor makes up for the time that was lost. Where it is night at the customer's phone, the text
is written in the morning there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, bindparam, select, update

from callback.campaigns import audience, campaign
from callback.campaigns.audience import LeftOut
from callback.campaigns.campaign import CAMPAIGNS, Campaign
from callback.customers import blocks
from callback.site.work import Work
from callback.store import restored
from callback.store import tables as t
from callback.store.audit import SERVICE
from callback.texts import batches, compose
from callback.texts import campaigns as texts
from callback.texts.campaigns import MassText
from scheduler.clock import HOUR, MINUTE, SECOND
from scheduler.errors import SchedulerError
from scheduler.hours import Hours

WAVE_US: Final = 2 * SECOND
MOST: Final = 2000
"""Texts that wait in the outbox at most, of one campaign."""
LASTS_US: Final = HOUR
LOOKED_AT: Final = 500
"""People who are looked at in one wave at least: at night most of them are only put off."""
_A, _P = t.campaign_person.c, t.person.c
_RUNNING: Final = CAMPAIGNS.where(t.campaign.c.pbx == bindparam("of_pbx"), t.CAMPAIGN_RUNNING).order_by(t.campaign.c.id)
_ANY: Final = select(t.campaign.c.id).where(t.campaign.c.pbx == bindparam("of_pbx"), t.CAMPAIGN_RUNNING).limit(1)
_OF: Final = _A.campaign_id == bindparam("of_campaign")
_NEXT: Select[Any] = (
    select(_A.person_id, _A.segment, _A.language, _P.number)
    .join(t.person, _A.person_id == _P.id)
    .where(_OF, t.TO_TELL, _A.not_before_at <= bindparam("now"))
    .order_by(_A.not_before_at, _A.person_id)
    .limit(bindparam("most"))
)
_LEFT: Final = select(_A.person_id).where(_OF, t.TO_TELL).limit(1)
_THESE: Final = (_OF, _A.person_id.in_(bindparam("people", expanding=True)))
_TOLD: Final = update(t.campaign_person).where(*_THESE).values(state="told", told_at=bindparam("now"))
_NOT_TOLD: Final = update(t.campaign_person).where(*_THESE, _A.state == "told").values(state="waiting", told_at=None)
_LATER: Final = update(t.campaign_person).where(*_THESE).values(not_before_at=bindparam("from_at"))


@dataclass(frozen=True, slots=True)
class _Person:
    id: int
    segment: str
    language: str
    e164: str


def any_runs(work: Work) -> bool:
    """Whether there is a campaign to go on with."""
    return work.connection.execute(_ANY, {"of_pbx": work.pbx}).first() is not None


def tend(work: Work) -> int:
    """Write what is next of each campaign that runs; give how many texts were written."""
    if restored.pending(work.connection, work.pbx) is not None:
        return 0  # nobody knows yet who was told since the backup
    return sum(_tend(work, one) for one in campaign.read(work, _RUNNING.params(of_pbx=work.pbx).with_for_update()))


def take_back(work: Work, one: Campaign) -> int:
    """Take back what waits of a campaign that is locked: these people can be told later. Give how many."""
    return _not_told(work, one, batches.take_back(work.connection, one.batch, work.now))


def portion(per_min: float, since_at: int, now: int, waiting: int) -> tuple[int, int]:
    """How many more may be written now, and up to when the rate is used then.

    No more than two seconds of the rate wait for the gateway, and what was missed is not made up for.
    """
    gap = MINUTE / per_min
    since = min(max(since_at, now - max(WAVE_US, gap)), now)
    most = min(MOST, max(1, round(WAVE_US / gap)))
    count = max(0, min(int((now - since) / gap), most - waiting))
    return count, round(since + count * gap)


def _tend(work: Work, one: Campaign) -> int:
    late = _not_told(work, one, batches.take_back_late(work.connection, one.batch, work.now))
    if not campaign.switched_on(work, one.queue):
        campaign.put(work, one, {"told": one.told - late, "told_until_at": work.now})
        return 0
    waiting = batches.waiting(work.connection, one.batch)
    room, used_until = portion(one.per_min, one.told_until_at or work.now, work.now, waiting)
    told = _tell(work, one, room) if room else 0
    if told or late:
        campaign.put(work, one, {"told": one.told - late + told, "told_until_at": used_until})
    if not told and not waiting and not late and not _anybody_left(work, one):
        campaign.move(work, one, "finished", SERVICE, ended_at=work.now)
    return told


def _tell(work: Work, one: Campaign, room: int) -> int:
    """Write up to so many texts; who may not be told is left out, and where it is night, put off."""
    asked = {"of_campaign": one.id, "now": work.now, "most": max(room, LOOKED_AT)}
    found = [_Person(*row) for row in work.connection.execute(_NEXT, asked)]
    out = _left_out(work, one, found)
    to_tell: list[MassText] = []
    later: dict[int, int] = {}
    days = _Days(work)
    for person in found:
        if person.id in out:
            continue
        if len(to_tell) == room:
            break
        match days.when(person.e164):
            case None:
                out[person.id] = "never-in-hours"
            case (from_at, _) if from_at > work.now:
                later[person.id] = from_at
            case (_, until_at):
                to_tell.append(_text(work, one, person, min(until_at, work.now + LASTS_US)))
    _put_off(work, one, later)
    for why in sorted(set(out.values())):
        audience.leave_out(work, one, why, [person for person, reason in out.items() if reason == why])
    if to_tell:
        texts.put_all(work, one.id, one.queue, to_tell)
        these = {"of_campaign": one.id, "people": [text.person for text in to_tell], "now": work.now}
        work.connection.execute(_TOLD, these)
    return len(to_tell)


def _left_out(work: Work, one: Campaign, found: Sequence[_Person]) -> dict[int, LeftOut]:
    """Those who are not to be told by now, whatever held when the audience was built."""
    opted_out = blocks.no_texts(work.connection, {person.e164 for person in found})
    out: dict[int, LeftOut] = {}
    for person in found:
        match compose.unwanted(work.site, one.queue, person.e164, opted_out=person.e164 in opted_out):
            case "texts-off":
                out[person.id] = "only-numbers"
            case None:
                pass
            case why:
                out[person.id] = why
    ids = [person.id for person in found]
    if ids and (others := audience.same_event(work, one)):
        told = audience.told_by(others).where(_A.person_id.in_(ids))
        out |= dict.fromkeys(work.connection.execute(told).scalars(), "told-already")
    return out


class _Days:
    """When texts may arrive, by the hours of a place: very many people have the same ones."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._known: dict[int, tuple[Hours, tuple[int, int] | None]] = {}  # the hours are kept, and with them their id

    def when(self, e164: str) -> tuple[int, int] | None:
        """From when until when a text may arrive there next; None: never."""
        hours = self._work.site.hours_of(e164, "")
        if id(hours) not in self._known:
            self._known[id(hours)] = (hours, self._of(hours))
        return self._known[id(hours)][1]

    def _of(self, hours: Hours) -> tuple[int, int] | None:
        try:
            from_at = hours.text_from(self._work.now)
        except SchedulerError:
            return None
        return from_at, hours.text_until(from_at)


def _text(work: Work, one: Campaign, person: _Person, expires_at: int) -> MassText:
    language = one.language_for(person.language, person.segment, work.site.rules)
    body = one.body(language, work.site.rules)
    return MassText(person=person.id, language=language, body=body, expires_at=expires_at)


def _put_off(work: Work, one: Campaign, later: dict[int, int]) -> None:
    """Let these wait until then: it is night for many of them at once, and day again at few moments."""
    for from_at in sorted(set(later.values())):
        people = [person for person, its in later.items() if its == from_at]
        work.connection.execute(_LATER, {"of_campaign": one.id, "people": people, "from_at": from_at})


def _not_told(work: Work, one: Campaign, recipients: Sequence[str]) -> int:
    people = [texts.person_of(recipient) for recipient in recipients]
    if people:
        work.connection.execute(_NOT_TOLD, {"of_campaign": one.id, "people": people})
    return len(people)


def _anybody_left(work: Work, one: Campaign) -> bool:
    return work.connection.execute(_LEFT, {"of_campaign": one.id}).first() is not None
