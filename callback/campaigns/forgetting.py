"""What campaigns know of a customer who is erased: nobody's place in the audience, who is neither told nor asked."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select, update

from callback.site.work import Work
from callback.store import tables as t

_P, _A = t.campaign_person.c, t.campaign_asked.c
WHY: Final = "erased"


def forget(work: Work, person: int) -> None:
    """Leave a customer out of what is still to come; scores stay, as nobody's."""
    every = select(t.campaign.c.id)  # by the key of an audience, a campaign after the other
    mine = (_P.campaign_id.in_(every), _P.person_id == person)
    untold = update(t.campaign_person).where(*mine, _P.state == "waiting")
    work.connection.execute(untold.values(state="left-out", why=WHY))
    unasked = update(t.campaign_asked).where(_A.person_id == person, _A.state.in_(("waiting", "called")))
    work.connection.execute(unasked.values(state="blank", why_not=WHY))
