"""Texts of campaigns: the outbox's words for whom they are, and which may not leave now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, select, tuple_

from callback.site.context import Site
from callback.site.work import Work
from callback.store import tables as t
from callback.texts import batches
from sms.gateway import Unsent
from sms.outbox import NewText

KIND: Final = "campaign"
TEMPLATE: Final = "campaign"
"""What stands in the outbox in place of a template: its words are the campaign's own."""

_C, _P = t.campaign.c, t.person.c
_WHO: Select[Any] = (
    select(t.campaign_person.c.campaign_id, t.campaign_person.c.person_id, _C.queue, _C.state, _P.number)
    .join(t.campaign, t.campaign_person.c.campaign_id == _C.id)
    .join(t.person, t.campaign_person.c.person_id == _P.id)
    .where(
        _C.pbx == bindparam("of_pbx"),
        tuple_(t.campaign_person.c.campaign_id, t.campaign_person.c.person_id).in_(bindparam("those", expanding=True)),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MassText:
    """One text of a campaign: to whom, what it says, and until when it may leave."""

    person: int
    language: str
    body: str
    expires_at: int


def word(campaign: int, person: int) -> str:
    """The outbox's opaque word for somebody whom a campaign tells: it is the cause of the text too, one for each."""
    return f"{KIND}/{campaign}/{person}"


def person_of(recipient: str) -> int:
    """Whom such a word is about."""
    return int(recipient.rpartition("/")[2])


def put_all(work: Work, campaign: int, queue: str, texts: Sequence[MassText]) -> None:
    """Write texts of a campaign; nobody gets a second one, whatever became of the first."""
    line = work.site.rules.queue(queue).text_from
    rows = [
        NewText(
            cause=word(campaign, one.person),
            pbx=work.pbx,
            recipient=word(campaign, one.person),
            template=TEMPLATE,
            language=one.language,
            body=one.body,
            not_before_at=work.now,
            expires_at=one.expires_at,
            line=line,
            person=f"person/{one.person}",
            batch=f"{KIND}/{campaign}",
        )
        for one in texts
    ]
    batches.put_all(work.connection, rows, work.now)


@dataclass(frozen=True, slots=True)
class Known:
    """Who is behind one of these words, in whose queue's name, and how the campaign stands."""

    queue: str
    number: str
    state: str


def known(connection: Connection, pbx: str, recipients: Collection[str]) -> dict[str, Known]:
    """Who is behind each of these words; of others nothing is said."""
    those = [named for recipient in recipients if (named := _parts(recipient)) is not None]
    rows = connection.execute(_WHO, {"of_pbx": pbx, "those": those}) if those else ()
    return {word(row.campaign_id, row.person_id): Known(row.queue, row.number, row.state) for row in rows}


def waits(site: Site, found: Mapping[str, Known]) -> dict[str, Exception]:
    """Those of them that are not to leave now: they come back, and may leave when the campaign goes on."""
    off = {one.queue for one in found.values() if not site.rules.queue(one.queue).care.campaigns}
    reasons = {
        recipient: "campaigns are switched off" if one.queue in off else "the campaign was stopped"
        for recipient, one in found.items()
        if one.queue in off or one.state in {"draft", "ready", "stopped"}
    }
    return {recipient: Unsent(why) for recipient, why in reasons.items()}


def _parts(recipient: str) -> tuple[int, int] | None:
    kind, *named = recipient.split("/")
    if kind != KIND or len(named) != 2 or not all(part.isdecimal() for part in named):  # noqa: PLR2004 - campaign, person
        return None
    return int(named[0]), int(named[1])
