"""Campaigns: a day on which very many customers were hit, and what they are told. How one is made, read and moved."""

from __future__ import annotations

import string
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Select, bindparam, select, update

from callback.accounts.roles import Groups
from callback.campaigns import states as life
from callback.campaigns.criteria import Criteria
from callback.errors import CallbackError
from callback.events import CampaignMoved
from callback.settings.rules import SiteRules
from callback.site.groups import is_of
from callback.site.work import Work
from callback.store import tables as t
from callback.store.numbering import insert_numbered
from sms.text import segments

NAME_ROOM: Final = 100
MAX_SEGMENTS: Final = 4
PLACEHOLDERS: Final = ("caller_id",)
"""What may stand in the words of a campaign, as in {caller_id}: the number of its queue."""
Words = Mapping[str, str]
"""A text by its language."""

_C = t.campaign.c


class NoSuchCampaign(CallbackError):
    """There is no campaign of that number here, or not for who asks."""


class CampaignFault(CallbackError):
    """A campaign cannot be made so; the sentence says what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What people say of a campaign before it is built; `per_min` None: as the rules say."""

    name: str
    queue: str
    criteria: Criteria
    words: Words
    per_min: float | None = None


@dataclass(frozen=True, slots=True)
class Campaign:
    """One row of `campaign`; instants in microseconds UTC."""

    id: int
    pbx: str
    name: str
    queue: str
    state: life.State
    criteria: Criteria
    words: Words
    per_min: float
    people: int
    told: int
    told_until_at: int | None
    incident_id: int | None
    hook_until_at: int | None
    made_at: int
    made_by: str
    built_at: int | None
    started_at: int | None
    ended_at: int | None
    revision: int

    @property
    def batch(self) -> str:
        """The outbox's word for its texts."""
        return f"campaign/{self.id}"

    def language_for(self, language: str, segment: str, rules: SiteRules) -> str:
        """In which of its languages somebody is told: the person's own, the segment's queue's, or its own queue's."""
        of_segment = rules.queue(segment).language if segment in rules.queues else ""
        wanted = (language, of_segment, rules.queue(self.queue).language)
        return next((one for one in wanted if one in self.words), next(iter(self.words)))

    def body(self, language: str, rules: SiteRules) -> str:
        """The text in one of its languages, as a phone shows it."""
        return self.words[language].format_map({"caller_id": rules.queue(self.queue).caller_id})


CAMPAIGNS: Final[Select[Any]] = select(*(_C[field.name] for field in fields(Campaign)))
_ONE: Final = CAMPAIGNS.where(_C.id == bindparam("of_campaign"), _C.pbx == bindparam("of_pbx"))
_LOCKED: Final = _ONE.with_for_update()


def read(work: Work, wanted: Select[Any]) -> list[Campaign]:
    """The campaigns of a statement that begins with CAMPAIGNS."""
    return [_made(dict(row)) for row in work.connection.execute(wanted).mappings()]


def look(work: Work, number: int, groups: Groups = None) -> Campaign:
    """One campaign of these groups. NoSuchCampaign where there is none."""
    return _found(work, number, _ONE, groups)


def lock(work: Work, number: int, groups: Groups = None) -> Campaign:
    """The same, locked until the transaction ends."""
    return _found(work, number, _LOCKED, groups)


def make(work: Work, draft: Draft, who: str) -> int:
    """Make a campaign, and give its number. CampaignFault where something of it cannot be."""
    values = _values(work, draft)
    begun = {"pbx": work.pbx, "state": "draft", "made_at": work.now, "made_by": who}
    return insert_numbered(work.connection, t.campaign, begun | values)


def change(work: Work, one: Campaign, draft: Draft) -> None:
    """Let a campaign that was not started be another one; it has to be built again."""
    put(work, one, {"state": life.after(one.state, "changed"), **_values(work, draft)})


def move(work: Work, one: Campaign, event: life.Event, who: str, **changed: object) -> None:
    """Let the event happen to a campaign that is locked, and tell it."""
    state = life.after(one.state, event)
    put(work, one, {"state": state, **changed})
    people, told = changed.get("people", one.people), changed.get("told", one.told)
    work.tell(CampaignMoved(one.id, one.name, state, people, told, who))  # type: ignore[arg-type]


def put(work: Work, one: Campaign, changed: Mapping[str, object]) -> None:
    """Write some columns."""
    work.connection.execute(update(t.campaign).where(_C.id == one.id).values(**changed))


def switched_on(work: Work, queue: str) -> bool:
    """Whether very many may be told in this queue's name: its texts are on, and campaigns are, and it is not paused."""
    rules = work.site.rules.queue(queue)
    return rules.care.campaigns and rules.texts == "on" and work.site.paused("text", queue) is None


def check_words(words: Words, languages: Collection[str], queue_language: str) -> None:
    """Raise CampaignFault where a text cannot be sent as it is."""
    if queue_language not in words:
        raise CampaignFault(f"write the text in {queue_language}, the language of the queue")
    for language, text in words.items():
        if language not in languages:
            raise CampaignFault(f"there are no texts in '{language}'; there are {', '.join(sorted(languages))}")
        if not text.strip():
            raise CampaignFault(f"the text in {language} is empty: write it, or leave the language out")
        _check_placeholders(language, text)
        if (count := segments(text).count) > MAX_SEGMENTS:
            raise CampaignFault(f"the text in {language} takes {count} segments: at most {MAX_SEGMENTS} may be sent")


def _check_placeholders(language: str, text: str) -> None:
    try:
        named = [part[1:] for part in string.Formatter().parse(text) if part[1] is not None]
    except ValueError as fault:
        raise CampaignFault(f"the text in {language}: braces do not match; write {{{{ and }}}} for braces") from fault
    for name, spec, conversion in named:
        if name not in PLACEHOLDERS or spec or conversion:
            raise CampaignFault(f"the text in {language}: {{{name}}} is unknown; there is {{caller_id}}")


def _values(work: Work, draft: Draft) -> dict[str, object]:
    name, rules = draft.name.strip(), work.site.rules
    if not name or len(name) > NAME_ROOM:
        raise CampaignFault(f"give the campaign a name of at most {NAME_ROOM} characters")
    draft.criteria.check()
    _check_queues(work, draft)
    check_words(draft.words, work.site.texting.templates.languages, rules.queue(draft.queue).language)
    per_min = rules.campaigns.texts_per_min if draft.per_min is None else draft.per_min
    if not 0 < per_min <= 60_000:  # noqa: PLR2004 - as the rules say
        raise CampaignFault("texts a minute: more than 0, at most 60000")
    return {
        "name": name,
        "queue": draft.queue,
        "criteria": draft.criteria.as_json(),
        "words": dict(draft.words),
        "per_min": per_min,
        "incident_id": draft.criteria.incident,
    }


def _check_queues(work: Work, draft: Draft) -> None:
    rules = work.site.rules
    for queue in (draft.queue, *draft.criteria.queues):
        if queue not in rules.queues:
            raise CampaignFault(f"the rules name no queue '{queue}': [rules.queues.{queue}]")
    if not rules.queue(draft.queue).care.campaigns:
        raise CampaignFault(
            f"campaigns are off in {draft.queue}: set [rules.queues.{draft.queue}.care] campaigns = true first"
        )
    for trunk in draft.criteria.trunks:
        if trunk not in work.site.trunks:
            raise CampaignFault(f"there is no trunk '{trunk}'; there are {', '.join(work.site.trunks)}")
    if draft.criteria.incident is not None:
        there = select(t.incident.c.id).where(t.incident.c.id == draft.criteria.incident, t.incident.c.pbx == work.pbx)
        if work.connection.execute(there).first() is None:
            raise CampaignFault(f"there is no incident {draft.criteria.incident}; `callback incident list` shows them")


def _found(work: Work, number: int, statement: Select[Any], groups: Groups) -> Campaign:
    row = work.connection.execute(statement, {"of_campaign": number, "of_pbx": work.pbx}).mappings().first()
    if row is None or not is_of(work.site, row["queue"], groups):
        raise NoSuchCampaign(f"there is no campaign {number}")
    return _made(dict(row))


def _made(row: dict[str, Any]) -> Campaign:
    criteria, words = Criteria.from_json(row.pop("criteria")), MappingProxyType(dict(row.pop("words")))
    return Campaign(**row, criteria=criteria, words=words)
