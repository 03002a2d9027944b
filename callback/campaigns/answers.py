"""Who writes after a campaign told them something: it is an answer to that, and belongs to the campaign's queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, select

from callback.site.work import Work
from callback.store import tables as t
from scheduler.clock import DAY

ANSWERED_WITHIN_US: Final = 14 * DAY
"""How long after a campaign's text what somebody writes counts as an answer to it."""
_A = t.campaign_person.c
_TOLD = (
    select(t.campaign.c.id, t.campaign.c.queue, _A.told_at)
    .join(t.campaign, _A.campaign_id == t.campaign.c.id)
    .where(_A.person_id == bindparam("of_person"), t.campaign.c.pbx == bindparam("of_pbx"))
    .where(_A.state == "told", _A.told_at > bindparam("since"))
    .order_by(_A.told_at.desc(), t.campaign.c.id.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Told:
    """The campaign that told somebody last, in whose queue's name, and when its text was written."""

    campaign: int
    queue: str
    at: int


def told(work: Work, person: int) -> Told | None:
    """Which campaign told this customer lately; None: none did."""
    asked = {"of_person": person, "of_pbx": work.pbx, "since": work.now - ANSWERED_WITHIN_US}
    row = work.connection.execute(_TOLD, asked).first()
    return None if row is None else Told(row.id, row.queue, row.told_at)
