"""Those who still call after a campaign has told them: how many, and how many of these calls were lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import and_, func, select

from callback.campaigns.campaign import Campaign
from callback.site.work import Work
from callback.store import tables as t
from scheduler.clock import DAY

WITHIN: Final = 14 * DAY
"""So long after the text a call counts as one of somebody who was told."""
_A, _C, _L = t.campaign_person.c, t.call.c, t.loss.c
_THEIRS = (
    select(func.count(_A.person_id.distinct()), func.count(), func.count(_L.call_id))
    .select_from(t.call)
    .join(t.campaign_person, and_(_A.person_id == _C.person_id, _A.told_at.is_not(None)))
    .outerjoin(t.loss, and_(_L.pbx == _C.pbx, _L.call_id == _C.call_id))
    .where(_C.started_at >= _A.told_at, _C.started_at < _A.told_at + WITHIN)
)


@dataclass(frozen=True, slots=True)
class Callers:
    """Of those who were told, so many people called since, in so many calls, of which so many were lost."""

    people: int
    calls: int
    lost: int


def callers(work: Work, one: Campaign) -> Callers:
    """Count them; nobody called where nobody was told."""
    if one.started_at is None:
        return Callers(0, 0, 0)
    theirs = _THEIRS.where(_A.campaign_id == one.id, _C.pbx == work.pbx, _C.started_at >= one.started_at)
    people, calls, lost = work.connection.execute(theirs).one()
    return Callers(int(people), int(calls), int(lost))
