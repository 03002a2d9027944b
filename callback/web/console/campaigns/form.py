"""The form of a campaign: whom it is about and what they are told, as it was filled in, and shown again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from callback.campaigns.campaign import Campaign, CampaignFault, Draft
from callback.campaigns.criteria import LOSSES, Criteria, Loss
from callback.errors import CallbackError
from callback.site import written
from callback.site.work import Work
from callback.web.console.number import number_in
from scheduler.clock import local

CALLS, FILE = "calls", "file"


@dataclass(frozen=True, slots=True)
class Filled:
    """What stands in the fields, as text."""

    name: str = ""
    queue: str = ""
    whom: str = CALLS
    queues: Sequence[str] = ()
    trunks: Sequence[str] = ()
    kinds: Sequence[str] = ()
    since: str = ""
    until: str = ""
    incident: str = ""
    per_min: str = ""
    words: Mapping[str, str] = field(default_factory=dict)


def filled_of(work: Work, one: Campaign) -> Filled:
    """The form as it stands for a campaign."""
    asked, zone = one.criteria, work.site.hours.zone
    since, until = (
        f"{local(at, zone):%Y-%m-%dT%H:%M}" if asked.calls and at else "" for at in (asked.from_at, asked.until_at)
    )
    incident = "" if asked.incident is None else str(asked.incident)
    whom = CALLS if asked.calls else FILE
    return Filled(
        one.name, one.queue, whom, asked.queues, asked.trunks, asked.kinds, since, until, incident,
        f"{one.per_min:g}", dict(one.words),
    )  # fmt: skip


def draft_of(work: Work, filled: Filled) -> Draft:
    """The campaign that it describes. CallbackError says what is to be put right."""
    words = {language: text.strip() for language, text in filled.words.items() if text.strip()}
    criteria = Criteria(calls=False) if filled.whom == FILE else _criteria(work, filled)
    return Draft(name=filled.name, queue=filled.queue, criteria=criteria, words=words, per_min=_per_min(filled.per_min))


def _criteria(work: Work, filled: Filled) -> Criteria:
    incident = number_in(filled.incident) if filled.incident else None
    if filled.incident and incident is None:
        raise CampaignFault("choose an incident of the list")
    return Criteria(
        queues=tuple(filled.queues),
        trunks=tuple(filled.trunks),
        kinds=tuple(map(_loss, filled.kinds)),
        from_at=_instant(work, filled.since),
        until_at=_instant(work, filled.until),
        incident=incident,
    )


def _loss(word: str) -> Loss:
    for kind in LOSSES:
        if kind == word:
            return kind
    raise CampaignFault(f"there is no such kind of lost call; there are {', '.join(LOSSES)}")


def _instant(work: Work, said: str) -> int:
    if not said:
        raise CampaignFault("say from when until when the calls began")
    try:
        return written.instant(said, work.now, work.site.hours.zone)
    except CallbackError as error:
        raise CampaignFault("say from when until when the calls began: 2026-11-23 09:00") from error


def _per_min(said: str) -> float | None:
    if not said.strip():
        return None
    try:
        return float(said)
    except ValueError as error:
        raise CampaignFault("texts a minute: a number, more than 0, at most 60000") from error
