"""A random sample of a campaign's audience: drawn by a seed, called back, and asked how they judge it, 0 to 10.

The calls are spread over the opening hours of some days, so that those who are owed a callback do not wait for them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import and_, func, insert, or_, select

from callback.accounts.roles import Groups
from callback.campaigns import campaign as campaigns
from callback.campaigns.campaign import Campaign
from callback.customers import blocks
from callback.errors import CallbackError
from callback.site.work import Work
from callback.store import tables as t
from scheduler import sampling
from scheduler.clock import DAY
from scheduler.errors import SchedulerError
from scheduler.spread import spread

USUAL_DAYS: Final = 3
MOST_DAYS: Final = 30
MOST: Final = 10_000
MOST_ROUNDS: Final = 99
HIGHEST_SEED: Final = 2**31 - 1
_BUILT: Final = ("ready", "running", "stopped", "done")

_P, _S, _A, _N = t.campaign_person.c, t.campaign_sample.c, t.campaign_asked.c, t.person.c


class NoSample(CallbackError):
    """No sample can be drawn; the sentence says why, and what helps."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How a sample is drawn: of how many, by which seed, over how many days, and as which round (None: the next)."""

    seed: int
    size: int | None = None
    days: int = USUAL_DAYS
    round: int | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A sample that was drawn: how many of each segment, and from when to when they are called."""

    campaign: int
    round: int
    seed: int
    segments: Mapping[str, int]
    first_at: int
    last_at: int

    @property
    def size(self) -> int:
        """How many were drawn: fewer than were wished for where the audience has no more."""
        return sum(self.segments.values())


def draw(work: Work, campaign: int, wish: Wish, by: str, groups: Groups = None) -> Drawn:
    """Draw a sample of the audience, and say when each of it is called. Raises NoSample, NoSuchCampaign.

    The same seed draws the same people of the same audience. Who was asked in another round, or lately for another
    campaign, is left out; so is whoever may not be called, and a number that many people share.
    """
    one = campaigns.lock(work, campaign, groups)
    size = work.site.rules.campaigns.sample if wish.size is None else wish.size
    _check(work, one, wish, size)
    number = _next_round(work, one) if wish.round is None else _free_round(work, one, wish.round)
    chosen = _chosen(work, one, wish.seed, size)
    if not chosen:
        raise NoSample("nobody is left who may be asked: all were asked, or may not be called")
    times = _times(work, len(chosen), wish.days)
    head = {"campaign_id": one.id, "round": number, "seed": wish.seed, "size": len(chosen)}
    work.connection.execute(insert(t.campaign_sample).values(**head, drawn_at=work.now, drawn_by=by))
    rows = [
        {"campaign_id": one.id, "round": number, "person_id": person, "segment": segment}
        | {"state": "waiting", "call_from_at": at}
        for (person, segment), at in zip(chosen, times, strict=True)
    ]
    work.connection.execute(insert(t.campaign_asked), rows)
    counted = Counter(segment for _, segment in chosen)
    return Drawn(one.id, number, wish.seed, dict(sorted(counted.items())), times[0], times[-1])


def _check(work: Work, one: Campaign, wish: Wish, size: int) -> None:
    queue = work.site.rules.queue(one.queue)
    if one.state not in _BUILT:
        raise NoSample("the campaign has no audience yet: build it first")
    if not queue.care.campaigns:
        raise NoSample(f"set [rules.queues.{one.queue}.care] campaigns = true first")
    if queue.calls != "on":
        raise NoSample(f"nobody of queue {one.queue} is called: set [rules.queues.{one.queue}] calls = 'on' first")
    if not 1 <= size <= MOST:
        raise NoSample(f"a sample has from 1 to {MOST:,} people")
    if not 0 <= wish.seed <= HIGHEST_SEED:
        raise NoSample(f"a seed is a whole number from 0 to {HIGHEST_SEED}")
    if not 1 <= wish.days <= MOST_DAYS:
        raise NoSample(f"the calls of a sample are spread over 1 to {MOST_DAYS} days")


def _next_round(work: Work, one: Campaign) -> int:
    """The round before the text is 0, those after it are 1 and more."""
    newest: int | None = work.connection.execute(
        select(func.max(_S.round)).where(_S.campaign_id == one.id)
    ).scalar_one()
    first = 0 if one.started_at is None else 1
    return first if newest is None else max(first, newest + 1)


def _free_round(work: Work, one: Campaign, number: int) -> int:
    taken = select(_S.round).where(_S.campaign_id == one.id, _S.round == number)
    if not 0 <= number <= MOST_ROUNDS:
        raise NoSample(f"rounds are 0 (before the text) to {MOST_ROUNDS}")
    if work.connection.execute(taken).first() is not None:
        raise NoSample(f"round {number} was drawn already: a sample is drawn once, so that nobody draws until it suits")
    return number


def _chosen(work: Work, one: Campaign, seed: int, size: int) -> list[tuple[int, str]]:
    """Who is asked, in the order of the calls: as random as the draw, so that each part of it is a sample too."""
    waiting = _frame(work, one, seed)
    found: dict[int, str] = {}
    while len(found) < size and any(waiting.values()):
        shares = sampling.divide({name: len(people) for name, people in waiting.items()}, size - len(found))
        for name, share in shares.items():
            found |= dict.fromkeys(_take(work, waiting[name], share), name)
    return [(person, found[person]) for person in sampling.ordered(found, seed)]


def _frame(work: Work, one: Campaign, seed: int) -> dict[str, list[int]]:
    """All whom no round of it asked, nor another campaign lately, by segment; who is drawn first comes last."""
    wanted = select(_P.person_id, _P.segment).where(_P.campaign_id == one.id, _P.state != "left-out")
    asked = _asked(work, one)
    by_segment: dict[str, list[int]] = defaultdict(list)
    for person, segment in work.connection.execute(wanted):
        if person not in asked:
            by_segment[segment].append(person)
    return {segment: sampling.ordered(people, seed)[::-1] for segment, people in by_segment.items()}


def _asked(work: Work, one: Campaign) -> set[int]:
    """Whom a round of this campaign asked, or lately one of another: few beside the audience."""
    since = work.now - work.site.rules.care.ask_again_days * DAY
    known = select(_A.person_id).join(t.campaign_sample, and_(_S.campaign_id == _A.campaign_id, _S.round == _A.round))
    return set(work.connection.execute(known.where(or_(_A.campaign_id == one.id, _S.drawn_at > since))).scalars())


def _take(work: Work, people: list[int], share: int) -> list[int]:
    """Take the next so many who may be called off the end of the list, and those who may not with them."""
    taken: list[int] = []
    while people and len(taken) < share:
        piece = [people.pop() for _ in range(min(share - len(taken), len(people)))]
        taken += _callable(work, piece)
    return taken


def _callable(work: Work, people: Sequence[int]) -> list[int]:
    """Those who may be called, whose number is theirs alone."""
    wanted = select(_N.id, _N.number).where(_N.id.in_(people), ~_N.shared)
    numbers = {row.id: row.number for row in work.connection.execute(wanted) if blocks.is_number(row.number)}
    standing = blocks.standing(work.connection, numbers.values())
    free = {one for one, e164 in numbers.items() if e164 not in standing or not standing[e164][0].calls}
    return [person for person in people if person in free]


def _times(work: Work, many: int, days: int) -> list[int]:
    try:
        return spread(work.site.hours, work.now, many, days)
    except SchedulerError as error:
        raise NoSample("by the rules of today no phone may ever ring: look at the opening hours") from error
