"""A campaign before it starts: how many it tells, who is left out and why, what it costs, and how long it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, bindparam, func, select

from callback.campaigns.campaign import Campaign
from callback.site.work import Work
from callback.store import tables as t
from scheduler.clock import MINUTE
from scheduler.errors import SchedulerError
from scheduler.hours import Hours
from sms.text import segments

_A: Final = t.campaign_person.c
_GROUPS: Final[Select[Any]] = (
    select(_A.segment, _A.language, _A.state, _A.why, func.count())
    .where(_A.campaign_id == bindparam("of_campaign"))
    .group_by(_A.segment, _A.language, _A.state, _A.why)
)


@dataclass(frozen=True, slots=True)
class WordsShown:
    """The text in one language as a phone shows it: how many are told so, and what one of them takes."""

    language: str
    text: str
    people: int
    encoding: str
    segments: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What a campaign that was built would do, or has still to do.

    `to_tell` are those who are not told yet. `left_out` are by reason, `by_segment` all who are told or to be told.
    `texts` are segments in all, `cost` in the site's currency (None: no price is set). `takes_us` is at the rate alone,
    `ends_at` as well without the quiet hours of the site's own clock, if it started now; None: nothing is to be told.
    """

    people: int
    to_tell: int
    told: int
    left_out: Mapping[str, int]
    by_segment: Mapping[str, int]
    words: tuple[WordsShown, ...]
    texts: int
    cost: float | None
    currency: str
    takes_us: int
    ends_at: int | None


def preview(work: Work, one: Campaign) -> Preview:
    """What it would do if it started now."""
    rules, left_out, by_segment = work.site.rules, dict[str, int](), dict[str, int]()
    told, to_tell, people = 0, 0, 0
    by_language: dict[str, int] = {}
    for segment, language, state, why, many in work.connection.execute(_GROUPS, {"of_campaign": one.id}):
        people += many
        if state == "left-out":
            left_out[why] = left_out.get(why, 0) + many
            continue
        by_segment[segment] = by_segment.get(segment, 0) + many
        if state == "told":
            told += many
            continue
        to_tell += many
        said = one.language_for(language, segment, rules)
        by_language[said] = by_language.get(said, 0) + many
    words = tuple(_words(work, one, language, many) for language, many in sorted(by_language.items()))
    texts = sum(said.people * said.segments for said in words)
    price = rules.campaigns.text_price
    takes_us = round(to_tell * MINUTE / one.per_min)
    return Preview(
        people,
        to_tell,
        told,
        dict(sorted(left_out.items())),
        dict(sorted(by_segment.items())),
        words,
        texts,
        round(texts * price, 2) if price else None,
        rules.campaigns.currency,
        takes_us,
        ends_at(work.site.hours, work.now, takes_us) if to_tell else None,
    )


def ends_at(hours: Hours, from_at: int, takes_us: int) -> int | None:
    """When something that takes so long has ended, where it goes on outside of quiet hours alone; None: never."""
    at, left = from_at, takes_us
    try:
        while True:
            at = hours.text_from(at)
            until = hours.text_until(at)
            if at + left <= until:
                return at + left
            at, left = until, left - (until - at)
    except SchedulerError:
        return None


def _words(work: Work, one: Campaign, language: str, people: int) -> WordsShown:
    text = one.body(language, work.site.rules)
    size = segments(text)
    return WordsShown(language, text, people, size.encoding, size.count)
