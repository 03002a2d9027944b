"""Campaigns as they stand: which there are, how far each has come, and what people answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, and_, bindparam, func, select

from callback.accounts.roles import Groups
from callback.campaigns import campaign
from callback.campaigns.answers import ANSWERED_WITHIN_US
from callback.campaigns.campaign import CAMPAIGNS, Campaign
from callback.site.groups import of_groups
from callback.site.work import Work
from callback.store import tables as t
from callback.texts import batches

_A, _C, _N = t.campaign_person.c, t.campaign.c, t.answer.c
_ANSWERS: Final[Select[Any]] = (
    select(_N.id, _N.received_at, _N.wish, _N.body, _N.state, _N.person_id, t.person.c.number)
    .join(t.campaign_person, and_(_A.person_id == _N.person_id, _A.campaign_id == bindparam("of_campaign")))
    .join(t.person, t.person.c.id == _N.person_id)
    .where(_N.pbx == bindparam("of_pbx"), _A.told_at.is_not(None))
    .where(_N.received_at >= _A.told_at, _N.received_at < _A.told_at + ANSWERED_WITHIN_US)
)
_NEWEST: Final = _ANSWERS.order_by(_N.received_at.desc(), _N.id.desc()).limit(bindparam("most"))
_WISHES: Final = (
    _ANSWERS.with_only_columns(_N.wish, func.count().label("many"), maintain_column_froms=True)
    .group_by(_N.wish)
    .order_by(_N.wish)
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody wrote who was told; `open`: a person has still to read it."""

    id: int
    received_at: int
    wish: str
    body: str
    open: bool
    person: int
    e164: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How the texts of a campaign stand, people each: they add up to `told`.

    `waiting` and `sending` have not left, `sent` was accepted by the gateway, `delivered` of these reached the phone as
    far as the gateway says. `failed` never left or did not arrive, of `unknown` nobody can tell.
    """

    told: int
    waiting: int
    sending: int
    sent: int
    delivered: int
    failed: int
    unknown: int
    answers: Mapping[str, int]
    """By what was asked for, as `answer.wish` names it."""


def campaigns(work: Work, groups: Groups = None, most: int = 200) -> list[Campaign]:
    """The campaigns of these groups, the newest first."""
    theirs = CAMPAIGNS.where(_C.pbx == work.pbx, of_groups(work.site, _C.queue, groups))
    return campaign.read(work, theirs.order_by(_C.made_at.desc(), _C.id.desc()).limit(most))


def one(work: Work, number: int, groups: Groups = None) -> Campaign:
    """One campaign of these groups. NoSuchCampaign where there is none."""
    return campaign.look(work, number, groups)


def progress(work: Work, found: Campaign) -> Progress:
    """How far it has come."""
    texts = batches.counted(work.connection, found.batch)
    by_state: dict[str, int] = {}
    delivered = lost = 0
    for (state, delivery), many in texts.items():
        undelivered = delivery == "undelivered"
        lost += many if undelivered else 0
        delivered += many if delivery == "delivered" else 0
        by_state[state] = by_state.get(state, 0) + (0 if undelivered else many)
    asked = {"of_campaign": found.id, "of_pbx": work.pbx}
    answers = {row.wish: row.many for row in work.connection.execute(_WISHES, asked)}
    return Progress(
        sum(texts.values()),
        by_state.get("waiting", 0),
        by_state.get("sending", 0),
        by_state.get("sent", 0),
        delivered,
        lost + sum(by_state.get(state, 0) for state in ("failed", "withdrawn", "expired")),
        by_state.get("unknown", 0),
        answers,
    )


def answers(work: Work, found: Campaign, most: int = 100) -> list[Answer]:
    """What people wrote who were told, the newest first."""
    asked = {"of_campaign": found.id, "of_pbx": work.pbx, "most": most}
    rows = work.connection.execute(_NEWEST, asked)
    return [
        Answer(row.id, row.received_at, row.wish, row.body, row.state == "open", row.person_id, row.number)
        for row in rows
    ]
